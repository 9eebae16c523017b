with seen as (
    select distinct
        customer_id,
        record_id as bug_id
    from {{ ref('int_present_records') }}
    where endpoint = 'bugs'
),

accounted as (
    select
        customer_id,
        bug_id
    from {{ ref('fct_bugs') }}
    union all
    select
        customer_id,
        bug_id
    from {{ ref('audit_rejected_bugs') }}
),

counted as (
    select
        customer_id,
        bug_id,
        sum(seen_count) as seen_count,
        sum(accounted_count) as accounted_count
    from (
        select
            customer_id,
            bug_id,
            1 as seen_count,
            0 as accounted_count
        from seen
        union all
        select
            customer_id,
            bug_id,
            0 as seen_count,
            1 as accounted_count
        from accounted
    ) as both_sides
    group by customer_id, bug_id
)

select *
from counted
where
    seen_count <> 1
    or accounted_count <> 1
