with tests as (
    select * from {{ ref('semantic_tests') }}
    where is_counted
),

activities as (
    select
        customer_id,
        test_id,
        feature_id,
        tester_name,
        0 as execution_count
    from {{ ref('fct_bugs') }}
    union all
    select
        customer_id,
        test_id,
        feature_id,
        tester_name,
        1 as execution_count
    from {{ ref('fct_executions') }}
    where has_result
),

keyed as (
    select
        {{ entity_key('test_id') }} as test_key,
        coalesce({{ entity_key('feature_id') }}, {{ entity_key("'unattributed'") }}) as feature_key,
        {{ entity_key("coalesce(tester_name, '')") }} as tester_key,
        {{ entity_key('tester_name') }} as named_tester_key,
        sum(execution_count) as execution_count
    from activities
    group by customer_id, test_id, feature_id, tester_name
),

joined as (
    select
        keyed.test_key,
        keyed.feature_key,
        keyed.tester_key,
        keyed.named_tester_key,
        keyed.execution_count,
        tests.ended_on
    from keyed
    inner join tests on keyed.test_key = tests.test_key
)

select * from joined
