with reads as (
    select * from {{ ref('stg_ledger') }}
    where endpoint <> 'reject_reasons'
),

known as (
    select * from {{ ref('int_record_versions') }}
    where is_newest
),

complete_reads as (
    select
        scope_key,
        max(read_at) as read_at
    from reads
    where is_complete
    group by scope_key
),

-- Partial reads after the latest complete read count too: the records that they list exist, although they may
-- have missed others.
standing_reads as (
    select reads.*
    from reads
    left join complete_reads on reads.scope_key = complete_reads.scope_key
    where reads.read_at >= coalesce(complete_reads.read_at, reads.read_at)
),

elements as (
    {{ explode(
        'standing_reads', 'ids',
        keep=['customer_id', 'endpoint', 'product_id', 'test_id', 'read_at']
    ) }}
),

listed as (
    select
        customer_id,
        endpoint,
        {{ to_bigint('element') }} as record_id,
        product_id,
        case endpoint when 'tests' then {{ to_bigint('element') }} else test_id end as test_id,
        read_at
    from elements
),

gone_products as (
    select
        known.customer_id,
        known.record_id as product_id
    from known
    left join listed
        on
            known.customer_id = listed.customer_id
            and known.endpoint = listed.endpoint
            and known.record_id = listed.record_id
    where
        known.endpoint = 'products'
        and listed.record_id is null
),

listed_tests as (
    select
        listed.customer_id,
        listed.test_id,
        max(case when listed.product_id is not null then listed.read_at end) as by_product_at,
        max(case when listed.product_id is null then listed.read_at end) as alone_at
    from listed
    left join gone_products
        on
            listed.customer_id = gone_products.customer_id
            and listed.product_id = gone_products.product_id
    where
        listed.endpoint = 'tests'
        and gone_products.product_id is null
    group by listed.customer_id, listed.test_id
),

-- A test is read with its product's tests, or alone with --test, and the later read decides. If several
-- products list a test, it is present as long as one of them does.
gone_tests as (
    select
        known.customer_id,
        known.record_id as test_id
    from known
    left join gone_products
        on
            known.customer_id = gone_products.customer_id
            and known.product_id = gone_products.product_id
    left join listed_tests
        on
            known.customer_id = listed_tests.customer_id
            and known.record_id = listed_tests.test_id
    left join complete_reads as of_product on known.scope_key = of_product.scope_key
    left join complete_reads as of_test on known.alone_scope_key = of_test.scope_key
    where
        known.endpoint = 'tests'
        and (
            listed_tests.by_product_at is null
            or (listed_tests.alone_at is null and listed_tests.by_product_at < of_test.read_at)
        )
        and (
            listed_tests.alone_at is null
            or listed_tests.alone_at < of_product.read_at
            or gone_products.product_id is not null
        )
),

-- Records of a deleted product or test are deleted too, although their scopes can no longer be read.
present as (
    select distinct
        listed.customer_id,
        listed.endpoint,
        listed.record_id
    from listed
    left join gone_products
        on
            listed.customer_id = gone_products.customer_id
            and listed.product_id = gone_products.product_id
    left join gone_tests
        on
            listed.customer_id = gone_tests.customer_id
            and listed.test_id = gone_tests.test_id
    where
        gone_products.product_id is null
        and gone_tests.test_id is null
)

select * from present
