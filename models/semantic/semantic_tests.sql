with tests as (
    select * from {{ ref('dim_tests') }}
),

products as (
    select * from {{ ref('dim_products') }}
),

sections as (
    select * from {{ ref('dim_sections') }}
),

test_environments as (
    select * from {{ ref('dim_test_environments') }}
),

named as (
    select
        tests.customer_id,
        tests.test_id,
        tests.product_id,
        tests.title,
        tests.status,
        tests.testing_type,
        products.product_name as product,
        case when tests.section_id is null then 'none' else sections.section_name end as section,
        case when tests.test_environment_id is null then 'none' else test_environments.title end
            as test_environment,
        tests.created_by,
        tests.submitted_by,
        tests.is_executed,
        tests.is_deleted,
        nullif(tests.end_on, {{ placeholder_day() }}) as ended_on
    from tests
    left join products
        on
            tests.customer_id = products.customer_id
            and tests.product_id = products.product_id
    left join sections
        on
            tests.customer_id = sections.customer_id
            and tests.section_id = sections.section_id
    left join test_environments
        on
            tests.customer_id = test_environments.customer_id
            and tests.test_environment_id = test_environments.test_environment_id
),

labelled as (
    select
        {{ entity_key('test_id') }} as test_key,
        customer_id,
        test_id,
        product_id,
        {%- for name in [
            'title', 'status', 'testing_type', 'product', 'section', 'test_environment', 'created_by',
        ] %}
        coalesce({{ name }}, 'unknown') as {{ name }},
        {%- endfor %}
        coalesce(submitted_by, 'not submitted') as submitted_by,
        submitted_by is not null as is_submitted,
        is_executed and not is_deleted as is_counted,
        ended_on
    from named
)

select * from labelled
