with versions as (
    select * from {{ ref('int_bug_versions') }}
),

bugs as (
    select
        bug_id,
        customer_id,
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
        bug_id,
        customer_id,
        first_triaged_at,
        coalesce(first_triaged_at > watched_since_at, false) as is_triage_observed,
        status_change_count
    from bugs
)

select * from triaged
