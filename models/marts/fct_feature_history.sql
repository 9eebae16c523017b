with tests as (
    select * from {{ ref('dim_tests') }}
    where
        is_counted
        and {{ calendar_day('end_at') }} <> {{ placeholder_day() }}
),

-- A test can list a feature twice.
listed as (
    select
        customer_id,
        feature_id,
        test_id,
        count(case when execution_status = 'failed' then 1 end) as failed_count,
        count(case when execution_status = 'blocked' then 1 end) as blocked_count,
        count(case when execution_status = 'passed' then 1 end) as passed_count,
        cast(sum(bug_count) as bigint) as bug_count
    from {{ ref('fct_test_features') }}
    where is_counted
    group by customer_id, feature_id, test_id
),

cycles as (
    select
        tests.customer_id,
        tests.product_id,
        tests.test_id,
        listed.feature_id,
        tests.testing_type,
        tests.is_finished,
        tests.end_on as ended_on,
        {{ execution_status('listed.failed_count', 'listed.blocked_count', 'listed.passed_count', '0') }}
            as execution_status,
        listed.bug_count,
        cast(row_number() over (
            partition by listed.customer_id, listed.feature_id order by tests.end_at, tests.test_id
        ) as bigint) as cycle_number,
        count(*) over (partition by listed.customer_id, listed.feature_id) as cycle_count
    from listed
    inner join tests
        on
            listed.customer_id = tests.customer_id
            and listed.test_id = tests.test_id
),

compared as (
    select
        cycles.*,
        cycles.cycle_number = cycles.cycle_count as is_latest,
        previous.test_id as previous_test_id,
        previous.execution_status as previous_execution_status,
        previous.bug_count as previous_bug_count
    from cycles
    left join cycles as previous
        on
            cycles.customer_id = previous.customer_id
            and cycles.feature_id = previous.feature_id
            and cycles.cycle_number = previous.cycle_number + 1
),

changed as (
    select
        product_id,
        customer_id,
        feature_id,
        test_id,
        previous_test_id,
        cycle_number,
        testing_type,
        ended_on,
        execution_status,
        previous_execution_status,
        case
            when previous_test_id is null then 'new'
            when execution_status = 'not_tested' then 'not_tested'
            when previous_execution_status = 'passed' and execution_status = 'failed' then 'regressed'
            when previous_execution_status = 'failed' and execution_status = 'passed' then 'recovered'
            when previous_execution_status = 'failed' and execution_status = 'failed' then 'ongoing_failed'
            when previous_execution_status = 'passed' and execution_status = 'passed' then 'ongoing_passed'
            else 'other'
        end as change,
        bug_count,
        previous_bug_count,
        is_finished,
        is_latest
    from compared
)

select
    *,
    {{ entity_key(['feature_id', 'test_id']) }} as feature_test_key,
    {{ entity_key('feature_id') }} as feature_key,
    {{ entity_key('test_id') }} as test_key,
    {{ entity_key('product_id', 'unknown') }} as product_key
from changed
