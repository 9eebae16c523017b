with source as (
    select
        test_id,
        customer_id,
        requirements
    from {{ ref('stg_tests') }}
),

elements as (
    {{ explode('source', 'requirements', keep=['test_id', 'customer_id']) }}
),

projected as (
    {{ project('elements', 'element', [
        ('requirement_id', 'id', 'bigint'),
        ('category', 'category.name', 'name'),
        ('vendor', 'vendor.name', 'name'),
        ('operating_system', 'operating_system.name', 'name'),
        ('min_operating_system_version', 'min_operating_system_version.name', 'label'),
        ('max_operating_system_version', 'max_operating_system_version.name', 'label'),
        ('devices', 'devices', 'array'),
        ('browsers', 'browsers', 'array'),
        ('browser_based', 'browser_based', 'boolean'),
        ('gaming', 'gaming', 'boolean'),
    ], keep=['test_id', 'customer_id', 'element_number']) }}
),

renamed as (
    select
        -- keys
        test_id,
        customer_id,
        element_number as requirement_number,
        requirement_id,

        -- text
        category,
        vendor,
        operating_system,
        min_operating_system_version,
        max_operating_system_version,
        coalesce({{ texts_as_json(array_texts('devices', ['name'])) }}, '[]') as device_names,
        coalesce(browsers, '[]') as browsers,
        unfit_columns,

        -- flags
        browser_based as is_browser_based,
        gaming as is_gaming
    from projected
)

select * from renamed
