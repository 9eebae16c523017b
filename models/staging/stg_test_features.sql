with source as (
    select * from {{ ref('base_test_features') }}
),

renamed as (
    select
        -- keys
        test_feature_id,
        customer_id,
        test_id,
        feature_id,

        -- text
        title,
        description,
        howtofind,
        user_stories,

        -- flags
        enable_default,
        enable_content,
        enable_visual
    from source
    where rejected_because is null
)

select * from renamed
