with testers as (
    select * from {{ ref('dim_testers') }}
),

customers as (
    select distinct customer_id
    from {{ ref('dim_tests') }}
),

-- A key without a name is that of reports that name nobody.
members as (
    select
        {{ entity_key('tester_name') }} as tester_key,
        customer_id,
        tester_name
    from testers
    union all
    select
        {{ entity_key("''") }} as tester_key,
        customer_id,
        'unknown' as tester_name
    from customers
)

select * from members
