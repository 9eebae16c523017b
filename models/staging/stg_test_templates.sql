with source as (
    {{ catalogue_records('test_templates') }}
),

projected as (
    {{ project('source', 'payload', [
        ('title', 'title', 'label'),
        ('test_scenario_template', 'test_scenario_template', 'text'),
        ('min_test_duration', 'min_test_duration', 'bigint'),
        ('default_test_duration', 'default_test_duration', 'bigint'),
        ('max_test_duration', 'max_test_duration', 'bigint'),
    ], keep=['id', 'customer_id', 'product_id', 'loaded_at']) }}
),

renamed as (
    select
        -- keys
        id as test_template_id,
        customer_id,
        product_id,

        -- text
        title,
        test_scenario_template as test_scenario,
        unfit_columns,

        -- numbers
        min_test_duration as min_hours,
        default_test_duration as default_hours,
        max_test_duration as max_hours,

        -- times
        {{ to_utc('loaded_at') }} as loaded_at
    from projected
)

select * from renamed
