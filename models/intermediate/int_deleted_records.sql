with known as (
    select * from {{ ref('int_record_versions') }}
    where
        is_newest
        and endpoint <> 'reject_reasons'
),

present as (
    select * from {{ ref('int_present_records') }}
),

ledger as (
    select * from {{ ref('stg_ledger') }}
),

deleted as (
    select known.*
    from known
    left join present
        on
            known.customer_id = present.customer_id
            and known.endpoint = present.endpoint
            and known.record_id = present.record_id
    where present.record_id is null
),

-- Several products can list the same record, each in its own scope.
product_scopes as (
    select
        versions.customer_id,
        versions.endpoint,
        versions.record_id,
        versions.scope_key
    from {{ ref('int_record_versions') }} as versions
    inner join deleted
        on
            versions.customer_id = deleted.customer_id
            and versions.endpoint = deleted.endpoint
            and versions.record_id = deleted.record_id
    where versions.endpoint in ('features', 'user_stories', 'test_environments', 'test_templates')
),

own_scopes as (
    select
        customer_id,
        endpoint,
        record_id,
        scope_key
    from deleted
    union
    select
        customer_id,
        endpoint,
        record_id,
        alone_scope_key as scope_key
    from deleted
    where alone_scope_key is not null
    union
    select
        customer_id,
        endpoint,
        record_id,
        scope_key
    from product_scopes
),

reads as (
    select *
    from ledger
    where scope_key in (select own_scopes.scope_key from own_scopes)
),

-- Most reads of a scope list the same ids as the previous read, so each distinct list is parsed only once.
lists as (
    select
        scope_key,
        ids,
        max(read_at) as read_at
    from reads
    group by scope_key, ids
),

elements as (
    {{ explode('lists', 'ids', keep=['scope_key', 'read_at']) }}
),

listed as (
    select
        scope_key,
        {{ to_bigint('element') }} as record_id,
        max(read_at) as read_at
    from elements
    group by scope_key, {{ to_bigint('element') }}
),

sightings as (
    select
        own_scopes.customer_id,
        own_scopes.endpoint,
        own_scopes.record_id,
        own_scopes.scope_key,
        max(listed.read_at) as read_at
    from own_scopes
    inner join listed
        on
            own_scopes.scope_key = listed.scope_key
            and own_scopes.record_id = listed.record_id
    group by own_scopes.customer_id, own_scopes.endpoint, own_scopes.record_id, own_scopes.scope_key
),

last_seen as (
    select
        customer_id,
        endpoint,
        record_id,
        max(read_at) as read_at
    from sightings
    group by customer_id, endpoint, record_id
),

-- Only the scope that saw a record last can miss it. A test has two scopes, and either can miss it, because
-- each shows whether the test exists.
missed_itself as (
    select
        last_seen.customer_id,
        last_seen.endpoint,
        last_seen.record_id,
        min(reads.read_at) as read_at
    from last_seen
    inner join own_scopes
        on
            last_seen.customer_id = own_scopes.customer_id
            and last_seen.endpoint = own_scopes.endpoint
            and last_seen.record_id = own_scopes.record_id
    inner join reads
        on
            own_scopes.scope_key = reads.scope_key
            and last_seen.read_at < reads.read_at
    left join sightings
        on
            own_scopes.customer_id = sightings.customer_id
            and own_scopes.endpoint = sightings.endpoint
            and own_scopes.record_id = sightings.record_id
            and own_scopes.scope_key = sightings.scope_key
    where
        reads.is_complete
        and (last_seen.endpoint = 'tests' or last_seen.read_at = sightings.read_at)
    group by last_seen.customer_id, last_seen.endpoint, last_seen.record_id
),

itself as (
    select
        deleted.customer_id,
        deleted.endpoint,
        deleted.record_id,
        deleted.product_id,
        deleted.test_id,
        coalesce(last_seen.read_at, deleted.loaded_at) as last_seen_at,
        missed_itself.read_at as first_missed_at
    from deleted
    left join last_seen
        on
            deleted.customer_id = last_seen.customer_id
            and deleted.endpoint = last_seen.endpoint
            and deleted.record_id = last_seen.record_id
    left join missed_itself
        on
            deleted.customer_id = missed_itself.customer_id
            and deleted.endpoint = missed_itself.endpoint
            and deleted.record_id = missed_itself.record_id
),

-- If a record disappeared with its product or test, it was missed at the same time.
with_product as (
    select
        itself.customer_id,
        itself.endpoint,
        itself.record_id,
        itself.product_id,
        itself.test_id,
        itself.last_seen_at,
        least(itself.first_missed_at, products.first_missed_at) as first_missed_at
    from itself
    left join itself as products
        on
            itself.customer_id = products.customer_id
            and itself.product_id = products.record_id
            and products.endpoint = 'products'
),

with_test as (
    select
        with_product.customer_id,
        with_product.endpoint,
        with_product.record_id,
        with_product.product_id,
        with_product.test_id,
        with_product.last_seen_at,
        least(with_product.first_missed_at, tests.first_missed_at) as first_missed_at
    from with_product
    left join with_product as tests
        on
            with_product.customer_id = tests.customer_id
            and with_product.test_id = tests.record_id
            and tests.endpoint = 'tests'
)

select * from with_test
