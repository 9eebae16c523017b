with source as (
    {{ landed_rows('bugs') }}
),

projected as (
    {{ project('source', 'payload', [
        ('severity', 'severity', 'text'),
        ('status', 'status', 'text'),
        ('auto_accepted', 'auto_accepted', 'boolean'),
        ('known', 'known', 'boolean'),
    ], keep=['id', 'customer_id', 'loaded_at']) }}
),

-- An archive that was replayed twice has landed the same version twice.
renamed as (
    select distinct
        -- keys
        id as bug_id,
        customer_id,

        -- text
        severity,
        {{ bug_status() }} as status,
        unfit_columns,

        -- flags
        coalesce(status = 'accepted' and auto_accepted, false) as is_auto_accepted,
        coalesce(known, false) as is_known,

        -- times
        {{ to_utc('loaded_at') }} as loaded_at
    from projected
)

select * from renamed
