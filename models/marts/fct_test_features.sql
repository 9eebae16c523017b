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
        cast(coalesce(bugs_of_features.bug_severity_score, 0) as {{ score_type() }}) as bug_severity_score,
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
