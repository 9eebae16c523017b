with accounted as (
    select
        customer_id,
        bug_id
    from {{ ref('fct_bugs') }}
    union all
    select
        customer_id,
        bug_id
    from {{ ref('fct_deleted_bugs') }}
    union all
    select
        customer_id,
        bug_id
    from {{ ref('audit_rejected_bugs') }}
)

select
    bugs.customer_id,
    bugs.bug_id,
    count(accounted.bug_id) as place_count
from {{ ref('stg_bugs') }} as bugs
left join accounted
    on
        bugs.customer_id = accounted.customer_id
        and bugs.bug_id = accounted.bug_id
group by bugs.customer_id, bugs.bug_id
having count(accounted.bug_id) <> 1
