with source as (
    select * from {{ ref('base_test_case_tests') }}
    where version_age = 1
),

projected as (
    {{ project('source', 'payload', [
        ('title', 'title', 'label'),
        ('test_title', 'test_title', 'label'),
        ('goal', 'goal', 'text'),
        ('instructions', 'instructions', 'text'),
        ('out_of_scope', 'out_of_scope', 'text'),
        ('report_language', 'report_language', 'name'),
        ('start_at', 'start_at', 'timestamp'),
        ('end_at', 'end_at', 'timestamp'),

        ('test_environment_id', 'test_environment.id', 'bigint'),

        ('test_cases', 'test_cases', 'array'),
        ('requirements', 'test_case_requirements', 'array'),
    ], keep=['id', 'customer_id', 'product_id', 'loaded_at']) }}
),

renamed as (
    select
        -- keys
        id as test_id,
        customer_id,
        product_id,
        test_environment_id,

        -- text
        coalesce(title, test_title) as title,
        goal,
        instructions,
        out_of_scope,
        report_language,
        coalesce(test_cases, '[]') as test_cases,
        coalesce(requirements, '[]') as requirements,
        unfit_columns,

        -- times
        start_at,
        end_at,
        {{ to_utc('loaded_at') }} as loaded_at
    from projected
)

select * from renamed
