with executions as (
    select * from {{ ref('stg_executions') }}
),

present as (
    select * from {{ ref('int_present_records') }}
    where endpoint = 'executions'
),

kept as (
    select
        executions.execution_id,
        executions.customer_id,
        executions.test_id,
        executions.user_story_id,
        executions.user_story_version_id,
        executions.test_environment_id,
        executions.tester_name,
        executions.status,
        executions.comment,
        executions.devices,
        executions.executed_at
    from executions
    inner join present
        on
            executions.customer_id = present.customer_id
            and executions.execution_id = present.record_id
)

select * from kept
