with features as (
    select * from {{ ref('feature_quality') }}
),

products as (
    select * from {{ ref('dim_products') }}
),

joined as (
    select
        features.feature_key,
        features.customer_id,
        coalesce(products.product_name, 'unknown') as product,
        coalesce(features.title, 'unknown') as title,
        not features.is_deleted as is_listed,
        features.is_never_tested and not features.is_deleted as is_never_tested,
        features.is_untested_risk,
        features.is_hotspot,
        features.last_tested_on
    from features
    inner join products on features.product_key = products.product_key
)

select * from joined
