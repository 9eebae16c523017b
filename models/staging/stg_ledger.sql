with source as (
    select * from {{ ref('base_ledger') }}
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
