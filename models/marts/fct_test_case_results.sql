with results as (
    select * from {{ ref('stg_test_case_results') }}
),

present as (
    select * from {{ ref('int_present_records') }}
    where endpoint = 'test_case_results'
),

tests as (
    select * from {{ ref('dim_tests') }}
),

test_cases as (
    select * from {{ ref('stg_test_cases') }}
),

joined as (
    select
        results.test_case_result_id,
        results.customer_id,
        tests.product_id,
        results.test_id,
        results.test_case_id,
        test_cases.feature_id,
        tests.test_environment_id,
        test_cases.title as test_case_title,
        results.tester_name,
        results.status,
        results.comment,
        coalesce(results.status in ('passed', 'failed', 'blocked'), false) as has_result,
        {{ calendar_day('results.executed_at') }} as executed_on,
        results.executed_at
    from results
    inner join present
        on
            results.customer_id = present.customer_id
            and results.test_case_result_id = present.record_id
    left join tests
        on
            results.customer_id = tests.customer_id
            and results.test_id = tests.test_id
    left join test_cases
        on
            results.customer_id = test_cases.customer_id
            and results.test_id = test_cases.test_id
            and results.test_case_id = test_cases.test_case_id
)

select * from joined
