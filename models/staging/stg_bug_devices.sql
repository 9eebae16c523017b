with source as (
    select
        bug_id,
        customer_id,
        devices
    from {{ ref('stg_bugs') }}
),

elements as (
    {{ explode('source', 'devices', keep=['bug_id', 'customer_id']) }}
),

projected as (
    {{ project(
        'elements', 'element', device_columns(), keep=['bug_id', 'customer_id', 'element_number']
    ) }}
),

renamed as (
    select
        -- keys
        bug_id,
        customer_id,
        element_number as device_number,
        device_id,

        -- text
        category,
        vendor,
        device_name,
        operating_system,
        operating_system_version,
        coalesce(browsers, '[]') as browsers,
        unfit_columns
    from projected
)

select * from renamed
