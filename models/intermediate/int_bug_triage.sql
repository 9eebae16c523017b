with versions as (
    select * from {{ ref('int_bug_versions') }}
),

loads as (
    select
        customer_id,
        load_id,
        min(read_at) as began_at,
        row_number() over (partition by customer_id order by max(read_at) desc, load_id desc) as load_age,
        count(*) over (partition by customer_id) as load_count
    from {{ ref('stg_ledger') }}
    where endpoint = 'bugs'
    group by customer_id, load_id
),

-- Of a first load, all bugs would be new.
newest_loads as (
    select * from loads
    where
        load_age = 1
        and load_count > 1
),

bugs as (
    select
        bug_id,
        customer_id,
        min(first_seen_at) as first_seen_at,
        min(case when status <> 'forwarded' then first_seen_at end) as first_triaged_at,
        min(least(scope_first_read_at, first_seen_at)) as watched_since_at,
        count(
            case when version_number > 1 and coalesce(previous_status, '') <> coalesce(status, '') then 1 end
        ) as status_change_count
    from versions
    group by bug_id, customer_id
),

-- If a bug was already decided at the first read of its test, its decision time is unknown.
triaged as (
    select
        bugs.bug_id,
        bugs.customer_id,
        bugs.first_seen_at,
        bugs.first_triaged_at,
        coalesce(bugs.first_seen_at >= newest_loads.began_at, false) as is_new,
        coalesce(bugs.first_triaged_at > bugs.watched_since_at, false) as is_triage_observed,
        bugs.status_change_count
    from bugs
    left join newest_loads on bugs.customer_id = newest_loads.customer_id
)

select * from triaged
