with products as (
    select * from {{ ref('stg_products') }}
),

customers as (
    select * from {{ ref('int_customers') }}
),

tests as (
    select * from {{ ref('stg_tests') }}
),

deleted as (
    select * from {{ ref('int_deleted_records') }}
    where endpoint = 'products'
),

-- A test can name a product that no list has had yet.
named_by_tests as (
    select
        tests.product_id,
        tests.customer_id,
        tests.product_name,
        tests.product_type,
        row_number() over (
            partition by tests.customer_id, tests.product_id
            order by tests.loaded_at desc, tests.test_id asc
        ) as place
    from tests
    left join products
        on
            tests.customer_id = products.customer_id
            and tests.product_id = products.product_id
    where
        tests.product_id is not null
        and products.product_id is null
),

listed as (
    select
        products.product_id,
        products.customer_id,
        products.product_name,
        products.product_type,
        products.description,
        false as is_inferred,
        deleted.record_id is not null as is_deleted,
        deleted.last_seen_at,
        deleted.first_missed_at
    from products
    left join deleted
        on
            products.customer_id = deleted.customer_id
            and products.product_id = deleted.record_id
),

inferred as (
    select
        product_id,
        customer_id,
        product_name,
        product_type,
        cast(null as {{ dbt.type_string() }}) as description,
        true as is_inferred,
        false as is_deleted,
        cast(null as timestamp) as last_seen_at,
        cast(null as timestamp) as first_missed_at
    from named_by_tests
    where place = 1
),

-- A test can lack a product.
members as (
    select
        {{ entity_key('product_id') }} as product_key,
        *,
        false as is_placeholder
    from listed
    union all
    select
        {{ entity_key('product_id') }} as product_key,
        *,
        false as is_placeholder
    from inferred
    union all
    select
        {{ entity_key("'unknown'") }} as product_key,
        cast(null as bigint) as product_id,
        customer_id,
        'unknown' as product_name,
        cast(null as {{ dbt.type_string() }}) as product_type,
        cast(null as {{ dbt.type_string() }}) as description,
        false as is_inferred,
        false as is_deleted,
        cast(null as timestamp) as last_seen_at,
        cast(null as timestamp) as first_missed_at,
        true as is_placeholder
    from customers
)

select * from members
