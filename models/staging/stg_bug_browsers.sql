with source as (
    select
        bug_id,
        customer_id,
        device_number,
        browsers
    from {{ ref('stg_bug_devices') }}
),

elements as (
    {{ explode('source', 'browsers', keep=['bug_id', 'customer_id', 'device_number']) }}
),

projected as (
    {{ project('elements', 'element', [
        ('browser', 'name', 'name'),
    ], keep=['bug_id', 'customer_id', 'device_number', 'element_number']) }}
),

renamed as (
    select
        -- keys
        bug_id,
        customer_id,
        device_number,
        element_number as browser_number,

        -- text
        browser,
        unfit_columns
    from projected
)

select * from renamed
