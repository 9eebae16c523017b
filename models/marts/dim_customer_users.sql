with tests as (
    select * from {{ ref('dim_tests') }}
),

customers as (
    select * from {{ ref('int_customers') }}
),

mentions as (
    {%- for role in ['created', 'submitted'] %}
    select
        customer_id,
        {{ role }}_by as user_name,
        '{{ role }}' as user_role,
        is_deleted
    from tests
    where {{ role }}_by is not null
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
),

users as (
    select
        user_name,
        customer_id,
        count(case when user_role = 'created' then 1 end) as created_test_count,
        count(case when user_role = 'submitted' then 1 end) as submitted_test_count,
        count(case when not is_deleted then 1 end) = 0 as is_deleted
    from mentions
    group by user_name, customer_id
),

-- A test can name nobody. No name is empty, so that key is free.
members as (
    select
        {{ entity_key('user_name') }} as user_key,
        *,
        false as is_placeholder
    from users
    union all
    select
        {{ entity_key("''") }} as user_key,
        cast(null as {{ dbt.type_string() }}) as user_name,
        customer_id,
        0 as created_test_count,
        0 as submitted_test_count,
        false as is_deleted,
        true as is_placeholder
    from customers
)

select * from members
