with source as (
    select * from {{ ref('base_executions') }}
    where version_age = 1
),

projected as (
    {{ project('source', 'payload', [
        ('status', 'status', 'name'),
        ('comment', 'comment', 'text'),
        ('tester_name', 'executed_by', 'name'),
        ('device_reports', 'device_reports', 'array'),
        ('executed_at', 'executed_at', 'timestamp'),

        ('test_environment_id', 'test_cycle.test_environment.id', 'bigint'),
    ], keep=['id', 'customer_id', 'test_id', 'user_story_id', 'user_story_version_id', 'loaded_at']) }}
),

renamed as (
    select
        -- keys
        id as execution_id,
        customer_id,
        test_id,
        user_story_id,
        user_story_version_id,
        test_environment_id,

        -- text
        tester_name,
        status,
        comment,
        coalesce(device_reports, '[]') as devices,
        unfit_columns,

        -- times
        executed_at,
        {{ to_utc('loaded_at') }} as loaded_at
    from projected
)

select * from renamed
