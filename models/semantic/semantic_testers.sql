with testers as (
    select * from {{ ref('dim_testers') }}
),

customers as (
    select distinct customer_id
    from {{ ref('dim_tests') }}
),

-- Names are never blank, so the key with an empty name is free for reports without a name. Their label is
-- `unknown`, so a tester of that name is shown in quotes.
members as (
    select
        {{ entity_key('tester_name') }} as tester_key,
        customer_id,
        case
            when trim(both '"' from tester_name) = 'unknown' then '"' || tester_name || '"'
            else tester_name
        end as tester_name
    from testers
    union all
    select
        {{ entity_key("''") }} as tester_key,
        customer_id,
        'unknown' as tester_name
    from customers
)

select * from members
