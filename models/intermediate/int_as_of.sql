with ledger as (
    select * from {{ ref('stg_ledger') }}
    where
        endpoint = 'tests'
        and product_id is not null
),

-- A list that can never be read completely must not stop the clock of its customer.
customers as (
    select
        customer_id,
        coalesce(max(case when is_complete then read_at end), max(read_at)) as as_of_at
    from ledger
    group by customer_id
)

select * from customers
