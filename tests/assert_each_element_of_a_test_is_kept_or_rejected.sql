with elements as (
    select
        customer_id,
        test_id,
        {{ array_length('features') }} as element_count
    from {{ ref('stg_tests') }}
),

accounted as (
    select
        customer_id,
        test_id,
        count(*) as element_count
    from (
        select
            customer_id,
            test_id
        from {{ ref('stg_test_features') }}
        union all
        select
            customer_id,
            test_id
        from {{ ref('audit_rejected_test_features') }}
    ) as both_kinds
    group by customer_id, test_id
)

select
    elements.customer_id,
    elements.test_id,
    elements.element_count,
    accounted.element_count as accounted_count
from elements
left join accounted
    on
        elements.customer_id = accounted.customer_id
        and elements.test_id = accounted.test_id
where elements.element_count <> coalesce(accounted.element_count, 0)
