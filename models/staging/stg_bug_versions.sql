with newest as (
    select
        bug_id,
        customer_id,
        severity,
        status,
        is_auto_accepted,
        is_known,
        loaded_at
    from {{ ref('stg_bugs') }}
),

source as (
    select * from {{ ref('base_bugs') }}
    where version_age > 1
),

projected as (
    {{ project('source', 'payload', [
        ('severity', 'severity', 'name'),
        ('status', 'status', 'name'),
        ('auto_accepted', 'auto_accepted', 'boolean'),
        ('known', 'known', 'boolean'),
    ], keep=['id', 'customer_id', 'loaded_at']) }}
),

earlier as (
    select
        -- keys
        id as bug_id,
        customer_id,

        -- text
        severity,
        {{ bug_status() }} as status,

        -- flags
        coalesce({{ bug_status() }} = 'auto_accepted', false) as is_auto_accepted,
        coalesce(known, false) as is_known,

        -- times
        {{ to_utc('loaded_at') }} as loaded_at
    from projected
),

-- If an archive is replayed twice, the same version lands twice.
versions as (
    select * from newest
    union distinct
    select * from earlier
)

select * from versions
