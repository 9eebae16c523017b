with bugs as (
    select
        bug_id,
        customer_id
    from {{ ref('stg_bugs') }}
    where is_rejected
),

quoted as (
    select * from {{ ref('int_quoted_reasons') }}
),

ordered as (
    select
        bugs.bug_id,
        bugs.customer_id,
        quoted.reject_reason,
        row_number() over (
            partition by bugs.customer_id, bugs.bug_id
            order by
                case when quoted.created_at is null then 1 else 0 end,
                quoted.created_at,
                quoted.comment_number
        ) as place
    from bugs
    inner join quoted
        on
            bugs.customer_id = quoted.customer_id
            and bugs.bug_id = quoted.bug_id
),

first_quoted as (
    select
        bug_id,
        customer_id,
        reject_reason
    from ordered
    where place = 1
)

select * from first_quoted
