with present as (
    select * from {{ ref('int_present_bugs') }}
),

bugs as (
    select * from {{ ref('stg_bugs') }}
),

rejected as (
    select
        present.bug_id,
        present.customer_id,
        present.test_id,
        present.rejected_because,
        bugs.title,
        bugs.loaded_at
    from present
    inner join bugs
        on
            present.customer_id = bugs.customer_id
            and present.bug_id = bugs.bug_id
    where present.rejected_because is not null
)

select * from rejected
