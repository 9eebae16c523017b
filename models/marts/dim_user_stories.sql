with user_stories as (
    select * from {{ ref('stg_user_stories') }}
),

customers as (
    select * from {{ ref('int_customers') }}
),

tested as (
    select * from {{ ref('stg_user_story_results') }}
),

executions as (
    select * from {{ ref('stg_executions') }}
),

tests as (
    select * from {{ ref('stg_tests') }}
),

deleted as (
    select * from {{ ref('int_deleted_records') }}
    where endpoint = 'user_stories'
),

listed as (
    select
        user_stories.user_story_id,
        user_stories.customer_id,
        user_stories.product_id,
        user_stories.title,
        user_stories.path,
        user_stories.section_ids,
        false as is_inferred,
        deleted.record_id is not null as is_deleted,
        deleted.last_seen_at,
        deleted.first_missed_at
    from user_stories
    left join deleted
        on
            user_stories.customer_id = deleted.customer_id
            and user_stories.user_story_id = deleted.record_id
),

-- A test can have a user story that was deleted before the first read of the catalogue.
mentions as (
    select
        customer_id,
        user_story_id,
        test_id,
        title,
        path
    from tested
    where user_story_id is not null
    union all
    select
        customer_id,
        user_story_id,
        test_id,
        cast(null as {{ dbt.type_string() }}) as title,
        cast(null as {{ dbt.type_string() }}) as path
    from executions
    where user_story_id is not null
),

inferred as (
    select
        mentions.user_story_id,
        mentions.customer_id,
        max(tests.product_id) as product_id,
        {{ last_text('mentions.title') }} as title,
        {{ last_text('mentions.path') }} as path,
        '[]' as section_ids,
        true as is_inferred,
        false as is_deleted,
        cast(null as timestamp) as last_seen_at,
        cast(null as timestamp) as first_missed_at
    from mentions
    left join tests
        on
            mentions.customer_id = tests.customer_id
            and mentions.test_id = tests.test_id
    left join user_stories
        on
            mentions.customer_id = user_stories.customer_id
            and mentions.user_story_id = user_stories.user_story_id
    where user_stories.user_story_id is null
    group by mentions.user_story_id, mentions.customer_id
),

-- The user story of an execution can be unknown.
members as (
    select
        {{ entity_key('user_story_id') }} as user_story_key,
        *,
        false as is_placeholder
    from listed
    union all
    select
        {{ entity_key('user_story_id') }} as user_story_key,
        *,
        false as is_placeholder
    from inferred
    union all
    select
        {{ entity_key("'unknown'") }} as user_story_key,
        cast(null as bigint) as user_story_id,
        customer_id,
        cast(null as bigint) as product_id,
        'unknown' as title,
        cast(null as {{ dbt.type_string() }}) as path,
        '[]' as section_ids,
        false as is_inferred,
        false as is_deleted,
        cast(null as timestamp) as last_seen_at,
        cast(null as timestamp) as first_missed_at,
        true as is_placeholder
    from customers
)

select
    *,
    {{ entity_key('product_id', 'unknown') }} as product_key
from members
