with features as (
    select * from {{ ref('stg_features') }}
),

customers as (
    select * from {{ ref('int_customers') }}
),

deleted as (
    select * from {{ ref('int_deleted_records') }}
    where endpoint = 'features'
),

marked as (
    select
        features.feature_id,
        features.customer_id,
        features.product_id,
        features.title,
        features.description,
        features.howtofind,
        features.user_stories,
        features.section_ids,
        deleted.record_id is not null as is_deleted,
        deleted.last_seen_at,
        deleted.first_missed_at
    from features
    left join deleted
        on
            features.customer_id = deleted.customer_id
            and features.feature_id = deleted.record_id
),

-- A bug can be unattributed, and a test can have no feature.
members as (
    select
        {{ entity_key('feature_id') }} as feature_key,
        *,
        false as is_placeholder
    from marked
    union all
    select
        {{ entity_key("'unattributed'") }} as feature_key,
        cast(null as bigint) as feature_id,
        customer_id,
        cast(null as bigint) as product_id,
        'unattributed' as title,
        cast(null as {{ dbt.type_string() }}) as description,
        cast(null as {{ dbt.type_string() }}) as howtofind,
        cast(null as {{ dbt.type_string() }}) as user_stories,
        cast(null as {{ dbt.type_string() }}) as section_ids,
        false as is_deleted,
        cast(null as timestamp) as last_seen_at,
        cast(null as timestamp) as first_missed_at,
        true as is_placeholder
    from customers
    union all
    select
        {{ entity_key("'no feature'") }} as feature_key,
        cast(null as bigint) as feature_id,
        customer_id,
        cast(null as bigint) as product_id,
        'no feature' as title,
        cast(null as {{ dbt.type_string() }}) as description,
        cast(null as {{ dbt.type_string() }}) as howtofind,
        cast(null as {{ dbt.type_string() }}) as user_stories,
        cast(null as {{ dbt.type_string() }}) as section_ids,
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
