with source as (
    select * from {{ ref('base_test_case_results') }}
    where version_age = 1
),

projected as (
    {{ project('source', 'payload', [
        ('test_case_id', 'test_case_id', 'bigint'),
        ('tester_name', 'executed_by', 'name'),
        ('status', 'status', 'name'),
        ('comment', 'comment', 'text'),
        ('executed_at', 'executed_at', 'timestamp'),
    ], keep=['id', 'customer_id', 'test_id', 'loaded_at']) }}
),

renamed as (
    select
        -- keys
        id as test_case_result_id,
        customer_id,
        test_id,
        test_case_id,

        -- text
        tester_name,
        status,
        comment,
        unfit_columns,

        -- times
        executed_at,
        {{ to_utc('loaded_at') }} as loaded_at
    from projected
)

select * from renamed
