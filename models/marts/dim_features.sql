with features as (
    select * from {{ ref('stg_features') }}
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
)

select * from marked
