with requirements as (
    select * from {{ ref('stg_test_requirements') }}
),

browsers as (
    select * from {{ ref('stg_test_requirement_browsers') }}
    where browser is not null
),

tests as (
    select * from {{ ref('dim_tests') }}
),

platforms as (
    select
        requirements.test_id,
        requirements.customer_id,
        cast(row_number() over (
            partition by requirements.customer_id, requirements.test_id
            order by requirements.requirement_number, browsers.browser_number
        ) as bigint) as platform_number,
        requirements.requirement_number,
        tests.product_id,
        requirements.requirement_id,
        requirements.category as device_category,
        requirements.vendor as device_vendor,
        requirements.device_names,
        requirements.operating_system,
        requirements.min_operating_system_version,
        requirements.max_operating_system_version,
        browsers.browser,
        requirements.is_browser_based,
        requirements.is_gaming
    from requirements
    inner join tests
        on
            requirements.customer_id = tests.customer_id
            and requirements.test_id = tests.test_id
    left join browsers
        on
            requirements.customer_id = browsers.customer_id
            and requirements.test_id = browsers.test_id
            and requirements.requirement_number = browsers.requirement_number
)

select
    *,
    {{ entity_key(['test_id', 'platform_number']) }} as test_platform_key,
    {{ entity_key('product_id', 'unknown') }} as product_key,
    {{ entity_key('test_id') }} as test_key
from platforms
