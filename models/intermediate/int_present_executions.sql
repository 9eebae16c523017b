with executions as (
    select * from {{ ref('stg_executions') }}
),

present as (
    select * from {{ ref('int_present_records') }}
    where endpoint = 'executions'
),

kept as (
    select executions.*
    from executions
    inner join present
        on
            executions.customer_id = present.customer_id
            and executions.execution_id = present.record_id
)

select * from kept
