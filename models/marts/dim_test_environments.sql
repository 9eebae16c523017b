with environments as (
    select * from {{ ref('stg_test_environments') }}
),

customers as (
    select * from {{ ref('int_customers') }}
),

tests as (
    select * from {{ ref('stg_tests') }}
),

bugs as (
    select * from {{ ref('stg_bugs') }}
),

executions as (
    select * from {{ ref('stg_executions') }}
),

deleted as (
    select * from {{ ref('int_deleted_records') }}
    where endpoint = 'test_environments'
),

listed as (
    select
        environments.test_environment_id,
        environments.customer_id,
        environments.product_id,
        environments.title,
        environments.url,
        environments.access_type,
        environments.has_proxy,
        environments.allow_orders,
        false as is_inferred,
        deleted.record_id is not null as is_deleted,
        deleted.last_seen_at,
        deleted.first_missed_at
    from environments
    left join deleted
        on
            environments.customer_id = deleted.customer_id
            and environments.test_environment_id = deleted.record_id
),

-- Tests, bugs and executions can name an environment that was deleted before the first read of the list.
mentions as (
    select
        customer_id,
        test_id,
        test_environment_id,
        test_environment_title as title
    from tests
    union all
    select distinct
        customer_id,
        test_id,
        test_environment_id,
        cast(null as {{ dbt.type_string() }}) as title
    from bugs
    union all
    select distinct
        customer_id,
        test_id,
        test_environment_id,
        cast(null as {{ dbt.type_string() }}) as title
    from executions
),

inferred as (
    select
        mentions.test_environment_id,
        mentions.customer_id,
        max(tests.product_id) as product_id,
        {{ last_text('mentions.title') }} as title,
        cast(null as {{ dbt.type_string() }}) as url,
        cast(null as {{ dbt.type_string() }}) as access_type,
        cast(null as boolean) as has_proxy,
        cast(null as boolean) as allow_orders,
        true as is_inferred,
        false as is_deleted,
        cast(null as timestamp) as last_seen_at,
        cast(null as timestamp) as first_missed_at
    from mentions
    left join tests
        on
            mentions.customer_id = tests.customer_id
            and mentions.test_id = tests.test_id
    left join environments
        on
            mentions.customer_id = environments.customer_id
            and mentions.test_environment_id = environments.test_environment_id
    where
        mentions.test_environment_id is not null
        and environments.test_environment_id is null
    group by mentions.test_environment_id, mentions.customer_id
),

-- A test, bug or execution can have no environment.
members as (
    select
        {{ entity_key('test_environment_id') }} as test_environment_key,
        *,
        false as is_placeholder
    from listed
    union all
    select
        {{ entity_key('test_environment_id') }} as test_environment_key,
        *,
        false as is_placeholder
    from inferred
    union all
    select
        {{ entity_key("'none'") }} as test_environment_key,
        cast(null as bigint) as test_environment_id,
        customer_id,
        cast(null as bigint) as product_id,
        'none' as title,
        cast(null as {{ dbt.type_string() }}) as url,
        cast(null as {{ dbt.type_string() }}) as access_type,
        cast(null as boolean) as has_proxy,
        cast(null as boolean) as allow_orders,
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
