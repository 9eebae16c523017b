with features as (
    select * from {{ ref('dim_features') }}
    where not is_placeholder
),

test_features as (
    select * from {{ ref('fct_test_features') }}
    where is_counted
),

bugs as (
    select * from {{ ref('fct_bugs') }}
    where
        is_counted
        and feature_id is not null
),

tests_of_features as (
    select
        customer_id,
        feature_id,
        count(distinct test_id) as test_count,
        count(distinct case when execution_status <> 'not_tested' then test_id end) as tested_test_count,
        count(distinct case when execution_status = 'failed' then test_id end) as failed_test_count,
        sum(tested_user_story_count) as tested_user_story_count,
        sum(passed_user_story_count) as passed_user_story_count
    from test_features
    group by customer_id, feature_id
),

bugs_of_features as (
    select
        customer_id,
        feature_id,
        count(distinct tester_name) as bug_author_count,
        count(*) as bug_count,
        count(case when is_accepted then 1 end) as accepted_bug_count,
        count(case when is_auto_accepted then 1 end) as auto_accepted_bug_count,
        count(case when is_rejected then 1 end) as rejected_bug_count,
        count(case when is_open then 1 end) as open_bug_count,
        count(case when is_known then 1 end) as known_bug_count,
        count(case when test_feature_id is null then 1 end) as unattributed_bug_count,
        count(case when severity = 'critical' then 1 end) as critical_bug_count,
        count(case when severity = 'high' then 1 end) as high_bug_count,
        count(case when severity = 'low' then 1 end) as low_bug_count,
        count(case when severity = 'visual' then 1 end) as visual_bug_count,
        count(case when severity = 'content' then 1 end) as content_bug_count,
        count(case when severity = 'custom' then 1 end) as custom_bug_count,
        cast(sum(severity_weight) as {{ score_type() }}) as bug_severity_score
    from bugs
    group by customer_id, feature_id
),

counted as (
    select
        features.feature_id,
        features.customer_id,
        features.product_id,
        features.title,
        features.is_deleted,
        coalesce(tests_of_features.test_count, 0) as test_count,
        coalesce(tests_of_features.tested_test_count, 0) as tested_test_count,
        coalesce(tests_of_features.failed_test_count, 0) as failed_test_count,
        cast(coalesce(tests_of_features.tested_user_story_count, 0) as bigint) as tested_user_story_count,
        cast(coalesce(tests_of_features.passed_user_story_count, 0) as bigint) as passed_user_story_count,
        coalesce(bugs_of_features.bug_author_count, 0) as bug_author_count,
        coalesce(bugs_of_features.bug_count, 0) as bug_count,
        coalesce(bugs_of_features.accepted_bug_count, 0) as accepted_bug_count,
        coalesce(bugs_of_features.auto_accepted_bug_count, 0) as auto_accepted_bug_count,
        coalesce(bugs_of_features.rejected_bug_count, 0) as rejected_bug_count,
        coalesce(bugs_of_features.open_bug_count, 0) as open_bug_count,
        coalesce(bugs_of_features.known_bug_count, 0) as known_bug_count,
        coalesce(bugs_of_features.unattributed_bug_count, 0) as unattributed_bug_count,
        coalesce(bugs_of_features.critical_bug_count, 0) as critical_bug_count,
        coalesce(bugs_of_features.high_bug_count, 0) as high_bug_count,
        coalesce(bugs_of_features.low_bug_count, 0) as low_bug_count,
        coalesce(bugs_of_features.visual_bug_count, 0) as visual_bug_count,
        coalesce(bugs_of_features.content_bug_count, 0) as content_bug_count,
        coalesce(bugs_of_features.custom_bug_count, 0) as custom_bug_count,
        cast(coalesce(bugs_of_features.bug_severity_score, 0) as {{ score_type() }}) as bug_severity_score
    from features
    left join tests_of_features
        on
            features.customer_id = tests_of_features.customer_id
            and features.feature_id = tests_of_features.feature_id
    left join bugs_of_features
        on
            features.customer_id = bugs_of_features.customer_id
            and features.feature_id = bugs_of_features.feature_id
),

rated as (
    select
        *,
        {{ decided_bug_count() }} as decided_bug_count,
        {{ bounded_bugs_per_test() }},
        {{ overall_acceptance_rate() }} as overall_acceptance_rate,
        {{ active_acceptance_rate() }} as active_acceptance_rate,
        {{ rejection_rate() }} as rejection_rate,
        {{ review_rate() }} as review_rate,
        {{ bounded_rate('acceptance_rate_of_decided') }},
        {{ bounded_rate('active_acceptance_rate_of_decided') }},
        {{ bounded_rate('rejection_rate_of_decided') }},
        {{ bounded_rate('review_rate_of_decided') }},
        {{ bounded_rate('auto_acceptance_rate') }},
        {{ bounded_rate('known_bug_rate') }},
        {{ bounded_rate('severe_bug_rate') }},
        {{ bounded_rate('user_story_pass_rate') }}
    from counted
),

judged as (
    select
        *,
        {{ health() }} as health,
        {{ triage_health() }} as triage_health
    from rated
),

cycles_of_features as (
    select
        customer_id,
        feature_id,
        max(case when execution_status <> 'not_tested' then ended_on end) as last_ended_on,
        max(case when execution_status <> 'not_tested' then cycle_number end) as last_tested_cycle,
        max(case when execution_status = 'failed' then cycle_number end) as last_failed_cycle
    from {{ ref('fct_feature_history') }}
    group by customer_id, feature_id
),

days as (
    select
        customer_id,
        cast(as_of_at as date) as as_of_on
    from {{ ref('int_as_of') }}
),

-- A test that still runs ends later, but has tested the feature already.
followed as (
    select
        counted.*,
        days.as_of_on,
        case
            when cycles_of_features.last_ended_on > days.as_of_on then days.as_of_on
            else cycles_of_features.last_ended_on
        end as last_tested_on,
        coalesce(cycles_of_features.last_failed_cycle = cycles_of_features.last_tested_cycle, false)
            as has_failed_last,
        row_number() over by_bugs as place,
        sum(counted.bug_count) over so_far as bug_count_so_far,
        sum(counted.bug_count) over product as product_bug_count
    from counted
    left join days on counted.customer_id = days.customer_id
    left join cycles_of_features
        on
            counted.customer_id = cycles_of_features.customer_id
            and counted.feature_id = cycles_of_features.feature_id
    window
        product as (partition by counted.customer_id, counted.product_id),
        by_bugs as (
            partition by counted.customer_id, counted.product_id
            order by counted.bug_count desc, counted.feature_id asc
        ),
        so_far as (
            partition by counted.customer_id, counted.product_id
            order by counted.bug_count desc, counted.feature_id asc
            rows between unbounded preceding and current row
        )
),

ranked as (
    select
        customer_id,
        feature_id,
        is_deleted,
        has_failed_last,
        last_tested_on,
        cast({{ dbt.datediff('last_tested_on', 'as_of_on', 'day') }} as bigint)  -- noqa: LT05
            as days_since_last_tested,
        tested_test_count = 0 as is_never_tested,
        cast(case when bug_count > 0 then place end as bigint) as bug_rank,
        case when bug_count > 0 then {{ rate('bug_count_so_far', 'product_bug_count') }} end
            as cumulative_bug_share,
        coalesce(
            bug_count > 0
            and {{ rate('(bug_count_so_far - bug_count)', 'product_bug_count') }}
            < {{ var('hotspot_bug_share') }}, false
        ) as is_hotspot
    from followed
),

tracked as (
    select
        *,
        coalesce(
            not is_deleted
            and (has_failed_last or is_hotspot)
            and days_since_last_tested >= {{ var('untested_risk_days') }}, false
        ) as is_untested_risk
    from ranked
),

joined as (
    select
        judged.*,
        tracked.last_tested_on,
        tracked.days_since_last_tested,
        tracked.is_never_tested,
        tracked.is_untested_risk,
        tracked.bug_rank,
        tracked.cumulative_bug_share,
        tracked.is_hotspot
    from judged
    inner join tracked
        on
            judged.customer_id = tracked.customer_id
            and judged.feature_id = tracked.feature_id
)

select
    *,
    {{ triage_health_because() }} as triage_health_because,
    {{ entity_key('feature_id') }} as feature_key,
    {{ entity_key('product_id') }} as product_key
from joined
