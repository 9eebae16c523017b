with results as (
    select * from {{ ref('stg_user_story_results') }}
),

test_features as (
    select * from {{ ref('stg_test_features') }}
),

executions as (
    select * from {{ ref('int_present_executions') }}
),

present_bugs as (
    select * from {{ ref('int_present_bugs') }}
    where rejected_because is null
),

candidates as (
    select
        results.customer_id,
        results.test_id,
        results.feature_number,
        results.test_feature_id,
        test_features.feature_id,
        results.element_number as story_number,
        results.user_story_id,
        results.user_story_version_id,
        results.path,
        results.title,
        results.bug_ids,
        min(results.feature_number) over (
            partition by results.customer_id, results.test_feature_id
        ) as first_feature_number
    from results
    inner join test_features
        on
            results.customer_id = test_features.customer_id
            and results.test_id = test_features.test_id
            and results.test_feature_id = test_features.test_feature_id
),

-- If a test lists a test feature twice, only the first is kept, as in stg_test_features.
stories as (
    select * from candidates
    where feature_number = first_feature_number
),

executed as (
    select
        customer_id,
        test_id,
        user_story_version_id,
        count(case when status = 'passed' then 1 end) as passed_execution_count,
        count(case when status = 'failed' then 1 end) as failed_execution_count,
        count(case when status = 'blocked' then 1 end) as blocked_execution_count
    from executions
    group by customer_id, test_id, user_story_version_id
),

elements as (
    {{ explode('stories', 'bug_ids', keep=['customer_id', 'test_feature_id', 'story_number']) }}
),

linked as (
    select
        customer_id,
        test_feature_id,
        story_number,
        {{ to_bigint("replace(element, '\"', '')") }} as bug_id
    from elements
),

linked_bugs as (
    select
        linked.customer_id,
        linked.test_feature_id,
        linked.story_number,
        count(distinct linked.bug_id) as bug_count
    from linked
    inner join present_bugs
        on
            linked.customer_id = present_bugs.customer_id
            and linked.bug_id = present_bugs.bug_id
    group by linked.customer_id, linked.test_feature_id, linked.story_number
),

counted as (
    select
        stories.customer_id,
        stories.test_id,
        stories.test_feature_id,
        stories.feature_id,
        stories.story_number,
        stories.user_story_id,
        stories.user_story_version_id,
        stories.path,
        stories.title,
        coalesce(executed.passed_execution_count, 0) as passed_execution_count,
        coalesce(executed.failed_execution_count, 0) as failed_execution_count,
        coalesce(executed.blocked_execution_count, 0) as blocked_execution_count,
        coalesce(linked_bugs.bug_count, 0) as bug_count
    from stories
    left join executed
        on
            stories.customer_id = executed.customer_id
            and stories.test_id = executed.test_id
            and stories.user_story_version_id = executed.user_story_version_id
    left join linked_bugs
        on
            stories.customer_id = linked_bugs.customer_id
            and stories.test_feature_id = linked_bugs.test_feature_id
            and stories.story_number = linked_bugs.story_number
),

judged as (
    select
        *,
        {{ execution_status(
            'failed_execution_count', 'blocked_execution_count', 'passed_execution_count', 'bug_count'
        ) }} as execution_status
    from counted
)

select * from judged
