with quarantine as (
    select * from {{ ref('stg_quarantine') }}
),

records as (
    select
        customer_id,
        endpoint,
        product_id,
        test_id,
        reason,
        original,
        count(*) as times_seen,
        min(loaded_at) as first_seen_at,
        max(loaded_at) as last_seen_at
    from quarantine
    group by customer_id, endpoint, product_id, test_id, reason, original
)

select * from records
