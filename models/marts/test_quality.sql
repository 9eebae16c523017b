with tests as (
    select * from {{ ref('dim_tests') }}
    where is_counted
),

test_features as (
    select * from {{ ref('fct_test_features') }}
),

bugs as (
    select * from {{ ref('fct_bugs') }}
),

features_of_tests as (
    select
        customer_id,
        test_id,
        count(distinct feature_id) as feature_count,
        count(distinct case when execution_status <> 'not_tested' then feature_id end)
            as tested_feature_count,
        sum(tested_user_story_count) as tested_user_story_count,
        sum(passed_user_story_count) as passed_user_story_count
    from test_features
    group by customer_id, test_id
),

bugs_of_tests as (
    select
        customer_id,
        test_id,
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
    group by customer_id, test_id
),

counted as (
    select
        tests.test_id,
        tests.customer_id,
        tests.product_id,
        tests.title,
        tests.status,
        tests.testing_type,
        tests.is_finished,
        tests.end_at,
        coalesce(features_of_tests.feature_count, 0) as feature_count,
        coalesce(features_of_tests.tested_feature_count, 0) as tested_feature_count,
        cast(coalesce(features_of_tests.tested_user_story_count, 0) as bigint) as tested_user_story_count,
        cast(coalesce(features_of_tests.passed_user_story_count, 0) as bigint) as passed_user_story_count,
        coalesce(bugs_of_tests.bug_author_count, 0) as bug_author_count,
        coalesce(bugs_of_tests.bug_count, 0) as bug_count,
        coalesce(bugs_of_tests.accepted_bug_count, 0) as accepted_bug_count,
        coalesce(bugs_of_tests.auto_accepted_bug_count, 0) as auto_accepted_bug_count,
        coalesce(bugs_of_tests.rejected_bug_count, 0) as rejected_bug_count,
        coalesce(bugs_of_tests.open_bug_count, 0) as open_bug_count,
        coalesce(bugs_of_tests.known_bug_count, 0) as known_bug_count,
        coalesce(bugs_of_tests.unattributed_bug_count, 0) as unattributed_bug_count,
        coalesce(bugs_of_tests.critical_bug_count, 0) as critical_bug_count,
        coalesce(bugs_of_tests.high_bug_count, 0) as high_bug_count,
        coalesce(bugs_of_tests.low_bug_count, 0) as low_bug_count,
        coalesce(bugs_of_tests.visual_bug_count, 0) as visual_bug_count,
        coalesce(bugs_of_tests.content_bug_count, 0) as content_bug_count,
        coalesce(bugs_of_tests.custom_bug_count, 0) as custom_bug_count,
        cast(coalesce(bugs_of_tests.bug_severity_score, 0) as {{ score_type() }}) as bug_severity_score
    from tests
    left join features_of_tests
        on
            tests.customer_id = features_of_tests.customer_id
            and tests.test_id = features_of_tests.test_id
    left join bugs_of_tests
        on
            tests.customer_id = bugs_of_tests.customer_id
            and tests.test_id = bugs_of_tests.test_id
),

rated as (
    select
        *,
        {{ decided_bug_count() }} as decided_bug_count,
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
        {{ bounded_rate('user_story_pass_rate') }},
        {{ rate('tested_feature_count', 'feature_count') }} as feature_coverage
    from counted
),

judged as (
    select
        *,
        {{ health() }} as health,
        {{ triage_health() }} as triage_health
    from rated
)

select
    *,
    {{ triage_health_because() }} as triage_health_because,
    {{ entity_key('test_id') }} as test_key,
    {{ entity_key('product_id', 'unknown') }} as product_key
from judged
