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
        {{ counted_bugs() }}
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
        tests.end_at,
        coalesce(features_of_tests.feature_count, 0) as feature_count,
        coalesce(features_of_tests.tested_feature_count, 0) as tested_feature_count,
        cast(coalesce(features_of_tests.tested_user_story_count, 0) as bigint) as tested_user_story_count,
        cast(coalesce(features_of_tests.passed_user_story_count, 0) as bigint) as passed_user_story_count,
        coalesce(bugs_of_tests.bug_author_count, 0) as bug_author_count,
        {{ bug_counts_of('bugs_of_tests') }}
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
        {{ bug_rates() }},
        {{ rate('tested_feature_count', 'feature_count') }} as feature_coverage,
        {{ rate('passed_user_story_count', 'tested_user_story_count') }} as user_story_pass_rate
    from counted
),

judged as (
    select
        *,
        {{ health() }} as health
    from rated
)

select
    *,
    {{ entity_key('test_id') }} as test_key,
    {{ entity_key('product_id', 'unknown') }} as product_key
from judged
