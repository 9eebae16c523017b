with elements as (
    select * from {{ ref('base_test_features') }}
),

rejected as (
    select
        customer_id,
        test_id,
        element_number,
        test_feature_id,
        feature_id,
        rejected_because,
        original,
        loaded_at
    from elements
    where rejected_because is not null
)

select * from rejected
