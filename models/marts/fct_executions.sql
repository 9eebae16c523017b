with executions as (
    select * from {{ ref('int_present_executions') }}
),

tests as (
    select * from {{ ref('dim_tests') }}
),

-- Each version of a user story belongs to one test feature, so min() only picks its values.
user_stories as (
    select
        customer_id,
        test_id,
        user_story_version_id,
        min(test_feature_id) as test_feature_id,
        min(feature_id) as feature_id,
        min(user_story_id) as user_story_id
    from {{ ref('int_test_user_stories') }}
    where user_story_version_id is not null
    group by customer_id, test_id, user_story_version_id
),

devices as (
    select * from {{ ref('stg_execution_devices') }}
    where device_number = 1
),

joined as (
    select
        executions.execution_id,
        executions.customer_id,
        tests.product_id,
        executions.test_id,
        {{ entity_key('tests.test_id', 'unknown', 'executions.customer_id') }} as test_key,
        user_stories.test_feature_id,
        user_stories.feature_id,
        coalesce(executions.user_story_id, user_stories.user_story_id) as user_story_id,
        executions.user_story_version_id,
        coalesce(executions.test_environment_id, tests.test_environment_id) as test_environment_id,
        executions.tester_name,
        executions.status,
        executions.comment,
        devices.category as device_category,
        devices.vendor as device_vendor,
        devices.device_name,
        devices.operating_system,
        devices.operating_system_version,
        {{ array_length('executions.devices') }} as device_count,
        coalesce(executions.status in ('passed', 'failed', 'blocked'), false) as has_result,
        {{ calendar_day('executions.executed_at') }} as executed_on,
        executions.executed_at
    from executions
    left join tests
        on
            executions.customer_id = tests.customer_id
            and executions.test_id = tests.test_id
    left join user_stories
        on
            executions.customer_id = user_stories.customer_id
            and executions.test_id = user_stories.test_id
            and executions.user_story_version_id = user_stories.user_story_version_id
    left join devices
        on
            executions.customer_id = devices.customer_id
            and executions.execution_id = devices.execution_id
)

select
    *,
    {{ entity_key('execution_id') }} as execution_key,
    {{ entity_key('product_id', 'unknown') }} as product_key,
    {{ entity_key('test_feature_id') }} as test_feature_key,
    {{ entity_key('feature_id', 'unattributed') }} as feature_key,
    {{ entity_key('user_story_id', 'unknown') }} as user_story_key,
    {{ entity_key('test_environment_id', 'none') }} as test_environment_key,
    {{ entity_key('tester_name', '') }} as tester_key
from joined
