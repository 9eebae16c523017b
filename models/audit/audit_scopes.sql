with ledger as (
    select * from {{ ref('stg_ledger') }}
),

versions as (
    select * from {{ ref('int_record_versions') }}
),

-- A test landed in the scope of its product, or in its own scope if the load read it by itself.
landed as (
    select
        versions.load_id,
        coalesce(alone.scope_key, versions.scope_key) as scope_key
    from versions
    left join ledger as alone
        on
            versions.load_id = alone.load_id
            and versions.alone_scope_key = alone.scope_key
),

counted as (
    select
        load_id,
        scope_key,
        count(*) as landed_count
    from landed
    group by load_id, scope_key
),

scopes as (
    select
        ledger.customer_id,
        ledger.load_id,
        ledger.endpoint,
        ledger.product_id,
        ledger.test_id,
        ledger.is_complete,
        ledger.outcome,
        ledger.remarks,
        ledger.record_count,
        coalesce(counted.landed_count, 0) as landed_count,
        ledger.quarantined_count,
        ledger.repeated_count,
        ledger.mended_count,
        ledger.claimed_count,
        ledger.requests,
        ledger.tries,
        ledger.read_at,
        ledger.landed_at
    from ledger
    left join counted
        on
            ledger.load_id = counted.load_id
            and ledger.scope_key = counted.scope_key
)

select * from scopes
