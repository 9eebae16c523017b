with reads as (
    select
        customer_id,
        endpoint,
        product_id,
        test_id,
        scope_key,
        is_complete,
        ids,
        landed_at
    from {{ ref('stg_ledger') }}
    where endpoint in ('products', 'features', 'tests', 'bugs')
),

products as (
    select
        customer_id,
        product_id
    from {{ ref('stg_products') }}
),

tests as (
    select
        customer_id,
        test_id,
        product_id
    from {{ ref('stg_tests') }}
),

complete_reads as (
    select
        customer_id,
        endpoint,
        product_id,
        test_id,
        scope_key,
        max(landed_at) as landed_at
    from reads
    where is_complete
    group by customer_id, endpoint, product_id, test_id, scope_key
),

-- Bugs that name none of the tests asked for come with other bugs: each read of bugs reads them.
bug_reads as (
    select
        customer_id,
        max(landed_at) as landed_at
    from complete_reads
    where endpoint = 'bugs'
    group by customer_id
),

-- What came after the last complete read counts as well: it was seen, even if others were missed.
standing_reads as (
    select reads.*
    from reads
    left join complete_reads on reads.scope_key = complete_reads.scope_key
    left join bug_reads on reads.customer_id = bug_reads.customer_id
    where
        reads.landed_at >= coalesce(complete_reads.landed_at, reads.landed_at)
        and (
            reads.endpoint <> 'bugs'
            or reads.test_id is not null
            or reads.landed_at >= bug_reads.landed_at
        )
),

elements as (
    {{ explode(
        'standing_reads', 'ids',
        keep=['customer_id', 'endpoint', 'product_id', 'test_id', 'landed_at']
    ) }}
),

listed as (
    select
        customer_id,
        endpoint,
        product_id,
        test_id,
        {{ to_bigint('element') }} as record_id,
        landed_at
    from elements
),

present_products as (
    select distinct
        customer_id,
        endpoint,
        record_id
    from listed
    where endpoint = 'products'
),

-- What belongs to a product that is gone is gone too, though nobody can read its scope any more.
gone_products as (
    select products.*
    from products
    left join present_products
        on
            products.customer_id = present_products.customer_id
            and products.product_id = present_products.record_id
    where present_products.record_id is null
),

present_features as (
    select distinct
        listed.customer_id,
        listed.endpoint,
        listed.record_id
    from listed
    left join gone_products
        on
            listed.customer_id = gone_products.customer_id
            and listed.product_id = gone_products.product_id
    where
        listed.endpoint = 'features'
        and gone_products.product_id is null
),

-- A test is read with its product's tests, and by itself with --test: the later read decides.
listed_tests as (
    select
        customer_id,
        endpoint,
        record_id,
        max(landed_at) as landed_at
    from listed
    where endpoint = 'tests'
    group by customer_id, endpoint, record_id
),

present_tests as (
    select
        listed_tests.customer_id,
        listed_tests.endpoint,
        listed_tests.record_id
    from listed_tests
    left join tests
        on
            listed_tests.customer_id = tests.customer_id
            and listed_tests.record_id = tests.test_id
    left join gone_products
        on
            tests.customer_id = gone_products.customer_id
            and tests.product_id = gone_products.product_id
    left join complete_reads as of_product
        on
            tests.customer_id = of_product.customer_id
            and tests.product_id = of_product.product_id
            and of_product.endpoint = 'tests'
    left join complete_reads as of_test
        on
            listed_tests.customer_id = of_test.customer_id
            and listed_tests.record_id = of_test.test_id
            and of_test.endpoint = 'tests'
    where
        gone_products.product_id is null
        and listed_tests.landed_at >= coalesce(of_product.landed_at, listed_tests.landed_at)
        and listed_tests.landed_at >= coalesce(of_test.landed_at, listed_tests.landed_at)
),

gone_tests as (
    select tests.*
    from tests
    left join present_tests
        on
            tests.customer_id = present_tests.customer_id
            and tests.test_id = present_tests.record_id
    where present_tests.record_id is null
),

present_bugs as (
    select distinct
        listed.customer_id,
        listed.endpoint,
        listed.record_id
    from listed
    left join gone_tests
        on
            listed.customer_id = gone_tests.customer_id
            and listed.test_id = gone_tests.test_id
    where
        listed.endpoint = 'bugs'
        and gone_tests.test_id is null
),

present as (
    select * from present_products
    union all
    select * from present_features
    union all
    select * from present_tests
    union all
    select * from present_bugs
)

select * from present
