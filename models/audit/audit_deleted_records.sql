{%- set names = [
    ('products', 'stg_products', 'product_id', 'product_name'),
    ('features', 'stg_features', 'feature_id', 'title'),
    ('user_stories', 'stg_user_stories', 'user_story_id', 'coalesce(title, path)'),
    ('test_environments', 'stg_test_environments', 'test_environment_id', 'title'),
    ('test_templates', 'stg_test_templates', 'test_template_id', 'title'),
    ('tests', 'stg_tests', 'test_id', 'title'),
    ('bugs', 'stg_bugs', 'bug_id', 'title'),
] -%}

with deleted as (
    select * from {{ ref('int_deleted_records') }}
),

named as (
    {%- for endpoint, model, id, title in names %}
    select
        customer_id,
        '{{ endpoint }}' as endpoint,
        {{ id }} as record_id,
        {{ title }} as title
    from {{ ref(model) }}
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
),

explained as (
    select
        deleted.customer_id,
        deleted.endpoint,
        deleted.record_id,
        deleted.product_id,
        deleted.test_id,
        named.title,
        case
            when tests.record_id is not null then 'test'
            when products.record_id is not null then 'product'
        end as deleted_with,
        deleted.last_seen_at,
        deleted.first_missed_at
    from deleted
    left join named
        on
            deleted.customer_id = named.customer_id
            and deleted.endpoint = named.endpoint
            and deleted.record_id = named.record_id
    left join deleted as tests
        on
            deleted.customer_id = tests.customer_id
            and deleted.test_id = tests.record_id
            and tests.endpoint = 'tests'
    left join deleted as products
        on
            deleted.customer_id = products.customer_id
            and deleted.product_id = products.record_id
            and products.endpoint = 'products'
)

select * from explained
