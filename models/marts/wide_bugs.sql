with bugs as (
    select * from {{ ref('fct_bugs') }}
),

tests as (
    select * from {{ ref('wide_tests') }}
),

features as (
    select * from {{ ref('dim_features') }}
),

platforms as (
    select * from {{ ref('bridge_bug_platforms') }}
    where platform_number = 1
),

joined as (
    select
        bugs.bug_key,
        bugs.product_key,
        bugs.test_key,
        bugs.feature_key,
        bugs.tester_key,
        bugs.bug_id,
        bugs.customer_id,
        bugs.product_id,
        bugs.test_id,
        bugs.feature_id,
        bugs.tester_name,
        coalesce(bugs.title, 'unknown') as title,
        tests.product,
        tests.section as test_section,
        tests.title as test_title,
        tests.testing_type,
        coalesce(features.title, 'unknown') as feature,
        coalesce(bugs.severity, 'unknown') as severity,
        coalesce(bugs.bug_type, 'unknown') as bug_type,
        coalesce(bugs.status, 'unknown') as status,
        case when bugs.is_rejected then coalesce(bugs.rejection_reason, 'unknown') else 'not rejected' end
            as rejection_reason,
        case when bugs.is_known then 'yes' else 'no' end as known_bug,
        coalesce(bugs.unattributed_because, 'attributed') as attribution,
        coalesce(bugs.decided_at_basis, 'unknown') as decided_at_basis,
        coalesce(bugs.reversal, 'none') as reversal,
        platforms.device_category,
        platforms.device_name,
        platforms.operating_system,
        platforms.browser,
        bugs.severity_weight,
        bugs.days_to_first_triage,
        bugs.days_to_decision,
        bugs.days_to_export,
        bugs.day_of_test,
        bugs.is_accepted,
        bugs.is_auto_accepted,
        bugs.is_rejected,
        bugs.is_decided,
        bugs.is_open,
        bugs.is_new,
        bugs.is_auto_accepted_soon,
        bugs.is_counted,
        bugs.reported_on,
        bugs.decided_on,
        bugs.exported_on,
        bugs.auto_accept_due_at,
        bugs.bug_url,
        tests.ended_quarter,
        tests.ended_on
    from bugs
    inner join tests
        on
            bugs.customer_id = tests.customer_id
            and bugs.test_id = tests.test_id
    inner join features on bugs.feature_key = features.feature_key
    inner join platforms
        on
            bugs.customer_id = platforms.customer_id
            and bugs.bug_id = platforms.bug_id
)

select * from joined
