with bugs as (
    select
        bug_id,
        customer_id,
        test_id
    from {{ ref('stg_bugs') }}
),

present as (
    select
        customer_id,
        record_id
    from {{ ref('int_present_records') }}
    where endpoint = 'bugs'
),

tests as (
    select
        customer_id,
        test_id,
        product_id
    from {{ ref('stg_tests') }}
),

judged as (
    select
        bugs.bug_id,
        bugs.customer_id,
        bugs.test_id,
        tests.product_id,
        case
            when bugs.test_id is null then 'no_test'
            when tests.test_id is null then 'unknown_test'
        end as rejected_because
    from bugs
    inner join present
        on
            bugs.customer_id = present.customer_id
            and bugs.bug_id = present.record_id
    left join tests
        on
            bugs.customer_id = tests.customer_id
            and bugs.test_id = tests.test_id
)

select * from judged
