{%- set dimensions = [
    ('dim_products', 'product_id', 1),
    ('dim_features', 'feature_id', 2),
    ('dim_sections', 'section_id', 1),
    ('dim_test_environments', 'test_environment_id', 1),
    ('dim_testers', 'tester_name', 1),
    ('dim_tests', 'test_id', 1),
    ('dim_user_stories', 'user_story_id', 1),
    ('dim_customer_users', 'user_name', 1),
] %}
with customers as (
    select * from {{ ref('int_customers') }}
)

{%- for dimension, id, placeholders in dimensions %}
select
    '{{ dimension }}' as dimension,
    customers.customer_id
from customers
left join {{ ref(dimension) }} as members
    on customers.customer_id = members.customer_id
group by customers.customer_id
having
    count(case when members.is_placeholder then 1 end) <> {{ placeholders }}
    or count(case when members.is_placeholder <> (members.{{ id }} is null) then 1 end) > 0
{{- '\nunion all' if not loop.last }}
{%- endfor %}
