with comments as (
    select * from {{ ref('stg_bug_comments') }}
),

bugs as (
    select
        bug_id,
        customer_id,
        product_id,
        test_id
    from {{ ref('fct_bugs') }}
),

quoted as (
    select * from {{ ref('int_quoted_reasons') }}
),

joined as (
    select
        comments.bug_id,
        comments.customer_id,
        comments.comment_number,
        comments.comment_id,
        bugs.product_id,
        bugs.test_id,
        comments.author_name,
        comments.body,
        quoted.reject_reason as quoted_reject_reason,
        quoted.reject_reason is not null as quotes_reject_reason,
        comments.created_at
    from comments
    inner join bugs
        on
            comments.customer_id = bugs.customer_id
            and comments.bug_id = bugs.bug_id
    left join quoted
        on
            comments.customer_id = quoted.customer_id
            and comments.bug_id = quoted.bug_id
            and comments.comment_number = quoted.comment_number
)

select
    *,
    {{ entity_key(['bug_id', 'comment_number']) }} as bug_comment_key,
    {{ entity_key('bug_id') }} as bug_key,
    {{ entity_key('product_id', 'unknown') }} as product_key,
    {{ entity_key('test_id') }} as test_key
from joined
