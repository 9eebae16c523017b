with scopes as (
    select * from {{ ref('audit_scopes') }}
),

versions as (
    select * from {{ ref('int_record_versions') }}
),

landed as (
    select
        customer_id,
        load_id,
        endpoint,
        count(*) as landed_count
    from versions
    group by customer_id, load_id, endpoint
),

read_scopes as (
    select
        customer_id,
        load_id,
        endpoint,
        count(*) as scope_count,
        count(case when is_complete then 1 end) as complete_count,
        count(case when not is_complete then 1 end) as incomplete_count,
        cast(sum(record_count) as bigint) as record_count,
        cast(sum(quarantined_count) as bigint) as quarantined_count,
        cast(sum(repeated_count) as bigint) as repeated_count,
        cast(sum(mended_count) as bigint) as mended_count,
        cast(sum(requests) as bigint) as requests,
        cast(sum(tries) as bigint) as tries,
        min(read_at) as first_read_at,
        max(read_at) as last_read_at,
        max(landed_at) as landed_at
    from scopes
    group by customer_id, load_id, endpoint
),

loads as (
    select
        read_scopes.customer_id,
        read_scopes.load_id,
        read_scopes.endpoint,
        read_scopes.scope_count,
        read_scopes.complete_count,
        read_scopes.incomplete_count,
        read_scopes.record_count,
        coalesce(landed.landed_count, 0) as landed_count,
        read_scopes.quarantined_count,
        read_scopes.repeated_count,
        read_scopes.mended_count,
        read_scopes.requests,
        read_scopes.tries,
        read_scopes.first_read_at,
        read_scopes.last_read_at,
        read_scopes.landed_at
    from read_scopes
    left join landed
        on
            read_scopes.customer_id = landed.customer_id
            and read_scopes.load_id = landed.load_id
            and read_scopes.endpoint = landed.endpoint
)

select * from loads
