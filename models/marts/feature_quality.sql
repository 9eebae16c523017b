with features as (
    select * from {{ ref('dim_features') }}
    where not is_placeholder
),

tests as (
    select * from {{ ref('dim_tests') }}
    where is_counted
),

test_features as (
    select * from {{ ref('fct_test_features') }}
    where is_counted
),

bugs as (
    select bugs.*
    from {{ ref('fct_bugs') }} as bugs
    inner join tests
        on
            bugs.customer_id = tests.customer_id
            and bugs.test_id = tests.test_id
    where bugs.feature_id is not null
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
        {{ counted_bugs() }}
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
        {{ bug_counts_of('bugs_of_features') }}
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
        {{ rate('bug_count', 'test_count') }} as bugs_per_test,
        {{ bug_rates() }},
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
    {{ entity_key('feature_id') }} as feature_key,
    {{ entity_key('product_id') }} as product_key
from judged
