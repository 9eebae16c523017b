with tests as (
    select * from {{ ref('dim_tests') }}
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
)

select * from users
