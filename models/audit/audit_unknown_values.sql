with bugs as (
    select * from {{ ref('stg_bugs') }}
),

tests as (
    select * from {{ ref('stg_tests') }}
),

counted as (
    select
        customer_id,
        'bug.status' as field,
        status as field_value,
        count(*) as record_count
    from bugs
    group by customer_id, status
    union all
    select
        customer_id,
        'bug.severity' as field,
        severity as field_value,
        count(*) as record_count
    from bugs
    group by customer_id, severity
    union all
    select
        customer_id,
        'test.status' as field,
        status as field_value,
        count(*) as record_count
    from tests
    group by customer_id, status
    union all
    select
        customer_id,
        'test.testing_type' as field,
        testing_type as field_value,
        count(*) as record_count
    from tests
    group by customer_id, testing_type
),

unknown as (
    select *
    from counted
    where not coalesce(
        case field
            when 'bug.status' then field_value in ('accepted', 'auto_accepted', 'rejected', 'forwarded')
            when 'bug.severity'
                then field_value in ('low', 'high', 'critical', 'visual', 'content', 'custom')
            when 'test.status'
                then field_value in (
                    'initialized', 'customer_finalized', 'waiting', 'pending', 'running', 'locked',
                    'completed', 'archived', 'cancelled'
                )
            when 'test.testing_type'
                then field_value in ('coverage', 'focused', 'rapid', 'usability', 'custom', 'test_case')
        end, false
    )
)

select * from unknown
