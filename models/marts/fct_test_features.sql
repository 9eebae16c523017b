with test_features as (
    select * from {{ ref('stg_test_features') }}
),

tests as (
    select * from {{ ref('dim_tests') }}
),

bugs as (
    select * from {{ ref('fct_bugs') }}
    where test_feature_id is not null
),

executions as (
    select * from {{ ref('fct_executions') }}
    where
        has_result
        and test_feature_id is not null
),

user_stories as (
    select * from {{ ref('int_test_user_stories') }}
),

bugs_of_features as (
    select
        customer_id,
        test_feature_id,
        {{ counted_bugs() }}
    from bugs
    group by customer_id, test_feature_id
),

stories_of_features as (
    select
        customer_id,
        test_feature_id,
        count(*) as user_story_count,
        count(case when execution_status <> 'not_tested' then 1 end) as tested_user_story_count,
        count(case when execution_status = 'passed' then 1 end) as passed_user_story_count,
        count(case when execution_status = 'failed' then 1 end) as failed_user_story_count,
        count(case when execution_status = 'blocked' then 1 end) as blocked_user_story_count,
        sum(passed_execution_count) as passed_execution_count,
        sum(failed_execution_count) as failed_execution_count,
        sum(blocked_execution_count) as blocked_execution_count,
        sum(bug_count) as story_bug_count
    from user_stories
    group by customer_id, test_feature_id
),

testers as (
    select
        customer_id,
        test_feature_id,
        tester_name
    from bugs
    union
    select
        customer_id,
        test_feature_id,
        tester_name
    from executions
),

testers_of_features as (
    select
        customer_id,
        test_feature_id,
        count(tester_name) as tester_count
    from testers
    group by customer_id, test_feature_id
),

joined as (
    select
        test_features.test_feature_id,
        test_features.customer_id,
        tests.product_id,
        test_features.test_id,
        test_features.feature_id,
        test_features.title,
        {{ execution_status(
            'coalesce(stories_of_features.failed_execution_count, 0)',
            'coalesce(stories_of_features.blocked_execution_count, 0)',
            'coalesce(stories_of_features.passed_execution_count, 0)',
            'coalesce(bugs_of_features.bug_count, 0) + coalesce(stories_of_features.story_bug_count, 0)'
        ) }} as execution_status,
        {{ bug_counts_of('bugs_of_features') }},
        coalesce(testers_of_features.tester_count, 0) as tester_count,
        cast(
            coalesce(
                stories_of_features.passed_execution_count
                + stories_of_features.failed_execution_count
                + stories_of_features.blocked_execution_count, 0
            ) as bigint
        ) as execution_count,
        coalesce(
            stories_of_features.user_story_count, {{ array_length('test_features.user_stories') }}
        ) as user_story_count,
        coalesce(stories_of_features.tested_user_story_count, 0) as tested_user_story_count,
        coalesce(stories_of_features.passed_user_story_count, 0) as passed_user_story_count,
        coalesce(stories_of_features.failed_user_story_count, 0) as failed_user_story_count,
        coalesce(stories_of_features.blocked_user_story_count, 0) as blocked_user_story_count,
        tests.is_executed,
        tests.is_deleted,
        tests.is_counted
    from test_features
    inner join tests
        on
            test_features.customer_id = tests.customer_id
            and test_features.test_id = tests.test_id
    left join bugs_of_features
        on
            test_features.customer_id = bugs_of_features.customer_id
            and test_features.test_feature_id = bugs_of_features.test_feature_id
    left join stories_of_features
        on
            test_features.customer_id = stories_of_features.customer_id
            and test_features.test_feature_id = stories_of_features.test_feature_id
    left join testers_of_features
        on
            test_features.customer_id = testers_of_features.customer_id
            and test_features.test_feature_id = testers_of_features.test_feature_id
)

select
    *,
    {{ entity_key('test_feature_id') }} as test_feature_key,
    {{ entity_key('product_id', 'unknown') }} as product_key,
    {{ entity_key('test_id') }} as test_key,
    {{ entity_key('feature_id') }} as feature_key
from joined
