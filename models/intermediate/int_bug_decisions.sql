with bugs as (
    select
        bug_id,
        customer_id,
        is_accepted,
        is_auto_accepted,
        is_rejected,
        reported_at,
        exported_at
    from {{ ref('stg_bugs') }}
    where is_decided
),

first_versions as (
    select * from {{ ref('int_bug_versions') }}
    where version_number = 1
),

status_changes as (
    select
        *,
        row_number() over (partition by customer_id, bug_id order by version_number desc) as change_age
    from {{ ref('int_bug_changes') }}
    where changed_field = 'status'
),

quoted as (
    select * from {{ ref('int_quoted_reasons') }}
),

-- A read first found the verdict at seen_at, and at not_yet_at one had not. If the first read of a test finds
-- a bug decided, there is no such time.
seen as (
    select
        bugs.*,
        coalesce(status_changes.first_seen_after_at, first_versions.first_seen_at) as seen_at,
        case
            when status_changes.bug_id is not null then status_changes.last_seen_before_at
            when first_versions.scope_first_read_at < first_versions.first_seen_at
                then first_versions.scope_first_read_at
        end as not_yet_at
    from bugs
    inner join first_versions
        on
            bugs.customer_id = first_versions.customer_id
            and bugs.bug_id = first_versions.bug_id
    left join status_changes
        on
            bugs.customer_id = status_changes.customer_id
            and bugs.bug_id = status_changes.bug_id
            and status_changes.change_age = 1
),

bounded as (
    select
        *,
        greatest(coalesce(not_yet_at, reported_at), coalesce(reported_at, not_yet_at)) as from_at
    from seen
),

candidates as (
    select
        bug_id,
        customer_id,
        'observed' as basis,
        3 as place,
        from_at as earliest_at,
        seen_at as latest_at,
        from_at,
        seen_at
    from bounded
    where not_yet_at is not null
    union all
    select
        bounded.bug_id,
        bounded.customer_id,
        'comment' as basis,
        1 as place,
        quoted.created_at as earliest_at,
        quoted.created_at as latest_at,
        bounded.from_at,
        bounded.seen_at
    from bounded
    inner join quoted
        on
            bounded.customer_id = quoted.customer_id
            and bounded.bug_id = quoted.bug_id
    where bounded.is_rejected
    union all
    select
        bug_id,
        customer_id,
        'auto_acceptance' as basis,
        2 as place,
        {{ auto_accepted_at('reported_at') }} as earliest_at,
        {{ auto_accepted_at('reported_at') }} as latest_at,
        from_at,
        seen_at
    from bounded
    where is_auto_accepted
    union all
    select
        bug_id,
        customer_id,
        'export' as basis,
        4 as place,
        from_at as earliest_at,
        exported_at as latest_at,
        from_at,
        seen_at
    from bounded
    where is_accepted
),

-- A time that contradicts the report or the reads is none.
possible as (
    select
        bug_id,
        customer_id,
        basis,
        earliest_at,
        latest_at,
        row_number() over (
            partition by customer_id, bug_id
            order by
                case when earliest_at is null then 1 else 0 end,
                {{ days_between('earliest_at', 'latest_at') }},
                latest_at,
                place
        ) as tightness
    from candidates
    where
        latest_at <= seen_at
        and (from_at is null or latest_at >= from_at)
),

tightest as (
    select
        bug_id,
        customer_id,
        basis as decided_at_basis,
        earliest_at as earliest_decided_at,
        latest_at as decided_at
    from possible
    where tightness = 1
)

select * from tightest
