{%- set catalogues = [
    ('features', 'stg_features', 'feature_id'),
    ('user_stories', 'stg_user_stories', 'user_story_id'),
    ('test_environments', 'stg_test_environments', 'test_environment_id'),
    ('test_templates', 'stg_test_templates', 'test_template_id'),
    ('tests', 'stg_tests', 'test_id'),
] -%}

with ledger as (
    select * from {{ ref('stg_ledger') }}
),

products as (
    select * from {{ ref('stg_products') }}
),

elements as (
    {{ explode('products', 'sections', keep=['customer_id', 'product_id']) }}
    union all
    {{ explode('products', 'sections_with_default', keep=['customer_id', 'product_id']) }}
),

sections as (
    {{ project('elements', 'element', [
        ('section_id', 'id', 'bigint'),
    ], keep=['customer_id', 'product_id']) }}
),

listed as (
    {%- for endpoint, _, _ in catalogues %}
    select
        '{{ endpoint }}' as endpoint,
        customer_id,
        product_id,
        id as record_id
    from (
        {{ listed_by_products('ledger', endpoint) }}
    ) as {{ endpoint }}
    union all
    {%- endfor %}
    select distinct
        'sections' as endpoint,
        customer_id,
        product_id,
        section_id as record_id
    from sections
),

shown as (
    {%- for endpoint, model, id in catalogues + [('sections', 'stg_sections', 'section_id')] %}
    select
        '{{ endpoint }}' as endpoint,
        customer_id,
        product_id,
        {{ id }} as record_id
    from {{ ref(model) }}
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
),

shared as (
    select
        listed.endpoint,
        listed.customer_id,
        listed.record_id,
        listed.product_id,
        shown.product_id as shown_product_id
    from listed
    inner join shown
        on
            listed.endpoint = shown.endpoint
            and listed.customer_id = shown.customer_id
            and listed.record_id = shown.record_id
            and listed.product_id <> shown.product_id
)

select * from shared
