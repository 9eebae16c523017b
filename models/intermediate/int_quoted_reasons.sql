{{ config(materialized='table') }}

-- Line ends depend on the form in which a text was entered, so carriage returns are ignored.
with comments as (
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
        comments.bug_id,
        comments.customer_id,
        comments.comment_number,
        comments.created_at,
        reasons.reject_reason,
        row_number() over (
            partition by comments.customer_id, comments.bug_id, comments.comment_number
            order by reasons.list_position, {{ sortable('reasons.reject_reason') }}
        ) as place
    from comments
    inner join reasons
        on
            comments.customer_id = reasons.customer_id
            and {{ dbt.position('reasons.default_comment', 'comments.body') }} > 0
    where reasons.default_comment <> ''
),

first_matches as (
    select
        bug_id,
        customer_id,
        comment_number,
        reject_reason,
        created_at
    from matches
    where place = 1
)

select * from first_matches
