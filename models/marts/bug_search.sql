with bugs as (
    select
        bug_id,
        customer_id,
        product_id,
        test_id,
        bug_key,
        product_key,
        test_key,
        title,
        location,
        steps,
        expected_result,
        actual_result,
        reported_on
    from {{ ref('fct_bugs') }}
),

comments as (
    select
        bug_id,
        customer_id,
        {{ join_texts('body', 'comment_number') }} as bodies
    from {{ ref('stg_bug_comments') }}
    group by bug_id, customer_id
),

joined as (
    select
        bugs.bug_key,
        bugs.product_key,
        bugs.test_key,
        bugs.bug_id,
        bugs.customer_id,
        bugs.product_id,
        bugs.test_id,
        bugs.title,
        -- Not in lower case: engines disagree about some letters.
        coalesce(bugs.title, '')
        {%- for text in [
            'bugs.location', 'bugs.steps', 'bugs.expected_result', 'bugs.actual_result', 'comments.bodies',
        ] %}
        || coalesce(chr(10) || {{ text }}, '')
        {%- endfor %} as search_text,
        bugs.reported_on
    from bugs
    left join comments
        on
            bugs.customer_id = comments.customer_id
            and bugs.bug_id = comments.bug_id
)

select * from joined
