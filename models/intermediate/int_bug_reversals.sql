with changes as (
    select * from {{ ref('int_bug_changes') }}
    where changed_field = 'status'
),

-- A bug that is open again keeps in mind which verdict it had.
verdicts as (
    select
        bug_id,
        customer_id,
        version_number,
        to_value,
        case
            when from_value = 'forwarded'
                then lag(from_value) over (partition by customer_id, bug_id order by version_number)
            else from_value
        end as previous_verdict
    from changes
),

turns as (
    select
        bug_id,
        customer_id,
        version_number,
        case
            when previous_verdict = 'rejected' and to_value in ('accepted', 'auto_accepted')
                then 'rejected_to_accepted'
            when previous_verdict in ('accepted', 'auto_accepted') and to_value = 'rejected'
                then 'accepted_to_rejected'
            when previous_verdict in ('accepted', 'auto_accepted', 'rejected') and to_value = 'forwarded'
                then 'reopened'
        end as reversal
    from verdicts
),

in_order as (
    select
        bug_id,
        customer_id,
        reversal,
        count(*) over (partition by customer_id, bug_id) as reversal_count,
        row_number() over (partition by customer_id, bug_id order by version_number desc) as place
    from turns
    where reversal is not null
),

latest as (
    select
        bug_id,
        customer_id,
        reversal,
        reversal_count
    from in_order
    where place = 1
)

select * from latest
