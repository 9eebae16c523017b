with features as (
    select * from {{ ref('stg_features') }}
),

present as (
    select * from {{ ref('int_present_records') }}
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
        present.record_id is null as is_deleted
    from features
    left join present
        on
            features.customer_id = present.customer_id
            and features.feature_id = present.record_id
)

select * from marked
