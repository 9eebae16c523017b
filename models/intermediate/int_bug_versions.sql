with versions as (
    select * from {{ ref('stg_bug_versions') }}
),

landings as (
    select * from {{ ref('int_record_versions') }}
    where endpoint = 'bugs'
),

reads as (
    select * from {{ ref('stg_ledger') }}
    where endpoint = 'bugs'
),

first_reads as (
    select
        scope_key,
        min(read_at) as read_at
    from reads
    where is_complete
    group by scope_key
),

-- If an archive is replayed twice, the same version lands twice with the same loaded_at.
sightings as (
    select
        landings.customer_id,
        landings.record_id as bug_id,
        landings.loaded_at,
        min(landings.scope_key) as scope_key,
        min(coalesce(reads.read_at, landings.loaded_at)) as first_seen_at,
        min(first_reads.read_at) as scope_first_read_at
    from landings
    left join reads
        on
            landings.load_id = reads.load_id
            and landings.scope_key = reads.scope_key
    left join first_reads on landings.scope_key = first_reads.scope_key
    group by landings.customer_id, landings.record_id, landings.loaded_at
),

in_order as (
    select
        versions.bug_id,
        versions.customer_id,
        sightings.scope_key,
        versions.status,
        versions.severity,
        versions.is_known,
        cast(row_number() over bug as bigint) as version_number,
        lag(versions.status) over bug as previous_status,
        lag(versions.severity) over bug as previous_severity,
        lag(versions.is_known) over bug as previous_is_known,
        versions.loaded_at,
        lag(versions.loaded_at) over bug as previous_loaded_at,
        sightings.first_seen_at,
        sightings.scope_first_read_at
    from versions
    inner join sightings
        on
            versions.customer_id = sightings.customer_id
            and versions.bug_id = sightings.bug_id
            and versions.loaded_at = sightings.loaded_at
    window bug as (partition by versions.customer_id, versions.bug_id order by versions.loaded_at)
)

select * from in_order
