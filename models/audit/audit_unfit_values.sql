{%- set models = [
    ('stg_products', 'product_id'),
    ('stg_features', 'feature_id'),
    ('stg_tests', 'test_id'),
    ('base_test_features', 'test_id'),
    ('stg_bugs', 'bug_id'),
    ('stg_bug_comments', 'bug_id'),
] -%}

with unfit as (
    {%- for model, id in models %}
    select
        '{{ model }}' as model_name,
        customer_id,
        {{ id }} as record_id,
        unfit_columns
    from {{ ref(model) }}
    where unfit_columns is not null
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
)

select * from unfit
