with present as (
    select * from {{ ref('int_present_records') }}
    where endpoint = 'tests'
),

tests as (
    select * from {{ ref('stg_tests') }}
),

ledger as (
    select * from {{ ref('stg_ledger') }}
),

newest as (
    select
        customer_id,
        max(read_at) as read_at
    from ledger
    group by customer_id
),

scopes as (
    select
        customer_id,
        test_id,
        endpoint,
        max(case when is_complete then read_at end) as last_complete_at
    from ledger
    where
        test_id is not null
        and endpoint <> 'tests'
    group by customer_id, test_id, endpoint
),

read_tests as (
    select
        customer_id,
        test_id,
        min(last_complete_at) as oldest_read_at,
        count(*) - count(last_complete_at) as unread_count,
        count(case when endpoint in ('test_details', 'bugs', 'executions') then 1 end) as expected_count
    from scopes
    group by customer_id, test_id
),

aged as (
    select
        present.customer_id,
        present.record_id as test_id,
        tests.title,
        tests.status,
        read_tests.oldest_read_at,
        cast(
            {{ dbt.datediff('read_tests.oldest_read_at', 'newest.read_at', 'day') }}
            as bigint
        ) as age_days,
        coalesce(read_tests.unread_count > 0 or read_tests.expected_count < 3, true) as has_unread_scope
    from present
    left join tests
        on
            present.customer_id = tests.customer_id
            and present.record_id = tests.test_id
    left join read_tests
        on
            present.customer_id = read_tests.customer_id
            and present.record_id = read_tests.test_id
    left join newest on present.customer_id = newest.customer_id
)

select * from aged
