with reads as (
    select * from {{ ref('stg_ledger') }}
),

ranked as (
    select
        customer_id,
        endpoint,
        product_id,
        test_id,
        outcome,
        is_complete,
        read_at,
        max(case when is_complete then read_at end) over (partition by scope_key) as last_complete_at,
        row_number() over (partition by scope_key order by read_at desc, landed_at desc) as age
    from reads
),

incomplete as (
    select
        customer_id,
        endpoint,
        product_id,
        test_id,
        outcome,
        read_at,
        last_complete_at
    from ranked
    where
        age = 1
        and not is_complete
)

select * from incomplete
