with source as (
    select *
    from {{ source('testio_raw', 'quarantine') }}
    where _dlt_load_id in (
        select loads.load_id
        from {{ source('testio_raw', '_dlt_loads') }} as loads
        where loads.status = 0
    )
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
