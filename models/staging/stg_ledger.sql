with source as (
    select
        ledger.*,
        loads.inserted_at as landed_at
    from {{ source('testio_raw', 'ledger') }} as ledger
    inner join {{ source('testio_raw', '_dlt_loads') }} as loads
        on
            ledger._dlt_load_id = loads.load_id
            and loads.status = 0
),

renamed as (
    select
        -- keys
        customer_id,
        product_id,
        test_id,
        _dlt_load_id as load_id,

        -- text
        endpoint,
        {{ scope_key() }} as scope_key,
        outcome,
        remarks,
        ids,

        -- numbers
        record_count,
        quarantined_count,
        repeated_count,
        mended_count,
        claimed_count,
        requests,
        tries,

        -- flags
        is_complete,

        -- times
        {{ to_utc('read_at') }} as read_at,
        {{ to_utc('landed_at') }} as landed_at
    from source
)

select * from renamed
