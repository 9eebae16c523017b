with source as (
    select
        bug_id,
        customer_id,
        comments
    from {{ ref('stg_bugs') }}
),

elements as (
    {{ explode('source', 'comments', keep=['bug_id', 'customer_id']) }}
),

projected as (
    {{ project('elements', 'element', [
        ('comment_id', 'id', 'bigint'),
        ('body', 'body', 'text'),
        ('created_at', 'created_at', 'timestamp'),

        ('author_name', 'author.name', 'name'),
    ], keep=['bug_id', 'customer_id', 'element_number']) }}
),

renamed as (
    select
        -- keys
        bug_id,
        customer_id,
        element_number as comment_number,
        comment_id,

        -- text
        author_name,
        body,
        unfit_columns,

        -- times
        created_at
    from projected
)

select * from renamed
