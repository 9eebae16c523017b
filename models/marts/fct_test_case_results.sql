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

features as (
    select * from {{ ref('dim_features') }}
),

joined as (
    select
        results.test_case_result_id,
        results.customer_id,
        tests.product_id,
        results.test_id,
        {{ entity_key('tests.test_id', 'unknown', 'results.customer_id') }} as test_key,
        results.test_case_id,
        test_cases.feature_id,
        {{ entity_key('features.feature_id', 'unattributed', 'results.customer_id') }} as feature_key,
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
    left join features
        on
            test_cases.customer_id = features.customer_id
            and test_cases.feature_id = features.feature_id
)

select
    *,
    {{ entity_key('test_case_result_id') }} as test_case_result_key,
    {{ entity_key('product_id', 'unknown') }} as product_key,
    {{ entity_key('test_environment_id', 'none') }} as test_environment_key,
    {{ entity_key('tester_name', '') }} as tester_key
from joined
