with source as (
    select
        test_id,
        customer_id,
        requirement_number,
        browsers
    from {{ ref('stg_test_requirements') }}
),

elements as (
    {{ explode('source', 'browsers', keep=['test_id', 'customer_id', 'requirement_number']) }}
),

projected as (
    {{ project('elements', 'element', [
        ('browser', 'name', 'name'),
    ], keep=['test_id', 'customer_id', 'requirement_number', 'element_number']) }}
),

renamed as (
    select
        -- keys
        test_id,
        customer_id,
        requirement_number,
        element_number as browser_number,

        -- text
        browser,
        unfit_columns
    from projected
)

select * from renamed
