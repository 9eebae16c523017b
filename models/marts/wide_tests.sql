with tests as (
    select * from {{ ref('dim_tests') }}
    where not is_placeholder
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

dates as (
    select * from {{ ref('dim_dates') }}
    where not is_placeholder
),

joined as (
    select
        tests.test_key,
        tests.product_key,
        tests.test_id,
        tests.customer_id,
        tests.product_id,
        coalesce(tests.title, 'unknown') as title,
        coalesce(tests.status, 'unknown') as status,
        coalesce(tests.testing_type, 'unknown') as testing_type,
        coalesce(products.product_name, 'unknown') as product,
        coalesce(sections.section_name, 'unknown') as section,
        coalesce(test_environments.title, 'unknown') as test_environment,
        coalesce(tests.created_by, 'unknown') as created_by,
        coalesce(tests.submitted_by, 'not submitted') as submitted_by,
        tests.submitted_by is not null as is_submitted,
        tests.is_finished,
        tests.is_counted,
        coalesce(
            cast(dates.year_number as {{ dbt.type_string() }})
            || ' Q' || cast(dates.quarter_number as {{ dbt.type_string() }}), 'unknown'
        ) as ended_quarter,
        dates.date_day as ended_on,
        tests.test_url
    from tests
    inner join products on tests.product_key = products.product_key
    inner join sections on tests.section_key = sections.section_key
    inner join test_environments on tests.test_environment_key = test_environments.test_environment_key
    left join dates on tests.end_on = dates.date_day
)

select * from joined
