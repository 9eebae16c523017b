with bugs as (
    select * from {{ ref('stg_bugs') }}
),

reported as (
    select
        bug_id,
        customer_id,
        reported_test_feature_id,
        reported_at
    from {{ ref('stg_bugs') }}
),

present as (
    select * from {{ ref('int_present_bugs') }}
    where rejected_because is null
),

test_features as (
    select * from {{ ref('stg_test_features') }}
),

rejected_test_features as (
    select distinct
        customer_id,
        test_feature_id
    from {{ ref('base_test_features') }}
    where rejected_because is not null
),

rejection_reasons as (
    select * from {{ ref('int_rejection_reasons') }}
),

triage as (
    select * from {{ ref('int_bug_triage') }}
),

decisions as (
    select * from {{ ref('int_bug_decisions') }}
),

reversals as (
    select * from {{ ref('int_bug_reversals') }}
),

as_of as (
    select * from {{ ref('int_as_of') }}
),

dated_tests as (
    select
        customer_id,
        test_id,
        is_counted,
        start_at
    from {{ ref('dim_tests') }}
),

-- These joins carry no long texts, because an engine may hold one side of a join in memory.
attributed as (
    select
        reported.bug_id,
        reported.customer_id,
        present.product_id,
        present.test_id,
        test_features.test_feature_id,
        test_features.feature_id,
        rejection_reasons.reject_reason,
        case
            when test_features.test_feature_id is not null then null
            when reported.reported_test_feature_id is null then 'no_test_feature'
            when rejected_test_features.test_feature_id is not null then 'rejected_test_feature'
            else 'unknown_test_feature'
        end as unattributed_because,
        case
            when triage.is_triage_observed and reported.reported_at <= triage.first_triaged_at
                then {{ days_between('reported.reported_at', 'triage.first_triaged_at') }}
        end as days_to_first_triage,
        triage.first_seen_at,
        triage.first_triaged_at,
        coalesce(triage.is_new, false) as is_new,
        coalesce(triage.status_change_count, 0) as status_change_count,
        decisions.decided_at_basis,
        decisions.earliest_decided_at,
        decisions.decided_at,
        reversals.reversal,
        coalesce(reversals.reversal_count, 0) as reversal_count,
        as_of.as_of_at,
        dated_tests.start_at as test_start_at,
        coalesce(dated_tests.is_counted, false) as is_counted
    from reported
    inner join present
        on
            reported.customer_id = present.customer_id
            and reported.bug_id = present.bug_id
    left join test_features
        on
            reported.customer_id = test_features.customer_id
            and reported.reported_test_feature_id = test_features.test_feature_id
    left join rejected_test_features
        on
            reported.customer_id = rejected_test_features.customer_id
            and reported.reported_test_feature_id = rejected_test_features.test_feature_id
    left join rejection_reasons
        on
            reported.customer_id = rejection_reasons.customer_id
            and reported.bug_id = rejection_reasons.bug_id
    left join triage
        on
            reported.customer_id = triage.customer_id
            and reported.bug_id = triage.bug_id
    left join decisions
        on
            reported.customer_id = decisions.customer_id
            and reported.bug_id = decisions.bug_id
    left join reversals
        on
            reported.customer_id = reversals.customer_id
            and reported.bug_id = reversals.bug_id
    left join as_of on reported.customer_id = as_of.customer_id
    left join dated_tests
        on
            present.customer_id = dated_tests.customer_id
            and present.test_id = dated_tests.test_id
),

described as (
    select
        bugs.bug_id,
        bugs.customer_id,
        attributed.product_id,
        attributed.test_id,
        attributed.test_feature_id,
        attributed.feature_id,
        bugs.section_id,
        bugs.test_environment_id,
        bugs.reported_test_feature_id,
        bugs.reported_feature_id,
        bugs.reported_test_case_id,
        bugs.external_id,
        bugs.tester_name,
        bugs.title,
        bugs.severity,
        {{ bug_type('bugs.severity') }} as bug_type,
        {{ severity_level('bugs.severity') }} as severity_level,
        {{ severity_weight('bugs.severity') }} as severity_weight,
        bugs.status,
        attributed.reject_reason as rejection_reason,
        attributed.unattributed_because,
        attributed.decided_at_basis,
        attributed.reversal,
        bugs.language,
        bugs.location,
        bugs.steps,
        bugs.expected_result,
        bugs.actual_result,
        attributed.days_to_first_triage,
        case
            when {{ calendar_day('bugs.reported_at') }} <> {{ placeholder_day() }}
                then {{ days_between('bugs.reported_at', 'attributed.decided_at') }}
        end as days_to_decision,
        case
            when
                bugs.exported_at >= bugs.reported_at
                and {{ calendar_day('bugs.reported_at') }} <> {{ placeholder_day() }}
                and {{ calendar_day('bugs.exported_at') }} <> {{ placeholder_day() }}
                then {{ days_between('bugs.reported_at', 'bugs.exported_at') }}
        end as days_to_export,
        case
            when bugs.reported_at >= attributed.test_start_at
                then cast(1 + {{ dbt.datediff('attributed.test_start_at', 'bugs.reported_at', 'day') }} as bigint)  -- noqa: LT05
        end as day_of_test,
        attributed.status_change_count,
        attributed.reversal_count,
        {{ array_length('bugs.devices') }} as device_count,
        {{ array_length('bugs.comments') }} as comment_count,
        {{ array_length('bugs.attachments') }} as attachment_count,
        {{ array_length('bugs.reproductions') }} as reproduction_count,
        bugs.is_known,
        bugs.is_accepted,
        bugs.is_auto_accepted,
        bugs.is_rejected,
        bugs.is_decided,
        bugs.is_open,
        attributed.is_new,
        coalesce(
            bugs.is_open
            and {{ auto_accepted_at('bugs.reported_at') }}
            <= {{ days_later('attributed.as_of_at', var('auto_acceptance_warning_days')) }}, false
        ) as is_auto_accepted_soon,
        attributed.is_counted,
        {{ calendar_day('bugs.reported_at') }} as reported_on,
        {{ calendar_day('attributed.decided_at') }} as decided_on,
        {{ calendar_day('bugs.exported_at') }} as exported_on,
        bugs.reported_at,
        bugs.exported_at,
        attributed.first_seen_at,
        attributed.first_triaged_at,
        attributed.earliest_decided_at,
        attributed.decided_at,
        case when bugs.is_open then {{ auto_accepted_at('bugs.reported_at') }} end as auto_accept_due_at,
        {{ web_address('bug_url_template', {
            'customer_id': 'bugs.customer_id', 'test_id': 'attributed.test_id', 'bug_id': 'bugs.bug_id',
        }) }}
            as bug_url
    from bugs
    inner join attributed
        on
            bugs.customer_id = attributed.customer_id
            and bugs.bug_id = attributed.bug_id
)

select
    *,
    {{ entity_key('bug_id') }} as bug_key,
    {{ entity_key('product_id', 'unknown') }} as product_key,
    {{ entity_key('test_id') }} as test_key,
    {{ entity_key('test_feature_id') }} as test_feature_key,
    {{ entity_key('feature_id', 'unattributed') }} as feature_key,
    {{ entity_key('section_id', 'none') }} as section_key,
    {{ entity_key('test_environment_id', 'none') }} as test_environment_key,
    {{ entity_key('tester_name', '') }} as tester_key
from described
