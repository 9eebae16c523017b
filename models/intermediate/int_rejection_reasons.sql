with bugs as (
    select
        bug_id,
        customer_id
    from {{ ref('stg_bugs') }}
    where status = 'rejected'
),

-- Line ends depend on the form in which a text was entered, so carriage returns are ignored.
comments as (
    select
        bug_id,
        customer_id,
        comment_number,
        replace(body, chr(13), '') as body,
        created_at
    from {{ ref('stg_bug_comments') }}
),

reasons as (
    select
        customer_id,
        reject_reason,
        list_position,
        trim(both ' ' from replace(default_comment, chr(13), '')) as default_comment
    from {{ ref('stg_reject_reasons') }}
),

matches as (
    select
        bugs.bug_id,
        bugs.customer_id,
        reasons.reject_reason,
        row_number() over (
            partition by bugs.customer_id, bugs.bug_id
            order by
                case when comments.created_at is null then 1 else 0 end,
                comments.created_at,
                comments.comment_number,
                reasons.list_position,
                {{ sortable('reasons.reject_reason') }}
        ) as place
    from bugs
    inner join comments
        on
            bugs.customer_id = comments.customer_id
            and bugs.bug_id = comments.bug_id
    inner join reasons
        on
            bugs.customer_id = reasons.customer_id
            and {{ dbt.position('reasons.default_comment', 'comments.body') }} > 0
    where reasons.default_comment <> ''
),

first_matches as (
    select
        bug_id,
        customer_id,
        reject_reason
    from matches
    where place = 1
)

select * from first_matches
