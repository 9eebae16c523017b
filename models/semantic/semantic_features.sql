with features as (
    select * from {{ ref('dim_features') }}
),

customers as (
    select distinct customer_id
    from {{ ref('dim_tests') }}
),

-- Extra members stand for no feature, so that grouping by feature loses no rows.
members as (
    select
        {{ entity_key('feature_id') }} as feature_key,
        customer_id,
        coalesce(title, 'unknown') as title
    from features
    {%- for member in ['unattributed', 'no feature'] %}
    union all
    select
        {{ entity_key("'" ~ member ~ "'") }} as feature_key,
        customer_id,
        '{{ member }}' as title
    from customers
    {%- endfor %}
)

select * from members
