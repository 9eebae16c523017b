with source as (
    select * from {{ ref('base_quarantine') }}
),

renamed as (
    select
        -- keys
        customer_id,
        product_id,
        test_id,

        -- text
        endpoint,
        reason,
        original,

        -- times
        {{ to_utc('loaded_at') }} as loaded_at
    from source
)

select * from renamed
