with tests as (
    select * from {{ ref('wide_tests') }}
    where is_counted
),

activities as (
    select
        test_key,
        feature_key,
        tester_key,
        tester_name,
        0 as execution_count
    from {{ ref('fct_bugs') }}
    union all
    select
        test_key,
        feature_key,
        tester_key,
        tester_name,
        1 as execution_count
    from {{ ref('fct_executions') }}
    where has_result
),

grouped as (
    select
        test_key,
        feature_key,
        tester_key,
        case when tester_name is not null then tester_key end as named_tester_key,
        sum(execution_count) as execution_count
    from activities
    group by test_key, feature_key, tester_key, tester_name
),

joined as (
    select
        grouped.test_key,
        grouped.feature_key,
        grouped.tester_key,
        grouped.named_tester_key,
        grouped.execution_count,
        tests.ended_on
    from grouped
    inner join tests on grouped.test_key = tests.test_key
)

select * from joined
