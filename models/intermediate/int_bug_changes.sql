with versions as (
    select * from {{ ref('int_bug_versions') }}
),

reads as (
    select * from {{ ref('stg_ledger') }}
    where endpoint = 'bugs'
),

changed as (
    {%- for field, column in [('status', 'status'), ('severity', 'severity'), ('known', 'is_known')] %}
    select
        customer_id,
        bug_id,
        version_number,
        '{{ field }}' as changed_field,
        cast(previous_{{ column }} as {{ dbt.type_string() }}) as from_value,
        cast({{ column }} as {{ dbt.type_string() }}) as to_value,
        scope_key,
        previous_loaded_at,
        loaded_at,
        first_seen_at
    from versions
    where
        version_number > 1
        and coalesce(cast(previous_{{ column }} as {{ dbt.type_string() }}), '')
        <> coalesce(cast({{ column }} as {{ dbt.type_string() }}), '')
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
),

changed_scopes as (
    select
        reads.scope_key,
        reads.ids,
        reads.read_at
    from reads
    where reads.scope_key in (select changed.scope_key from changed)
),

elements as (
    {{ explode('changed_scopes', 'ids', keep=['scope_key', 'read_at']) }}
),

seen as (
    select
        scope_key,
        {{ to_bigint('element') }} as bug_id,
        read_at
    from elements
),

-- A read that listed the bug but landed no version of it saw the bug unchanged.
last_seen as (
    select
        changed.customer_id,
        changed.bug_id,
        changed.version_number,
        max(seen.read_at) as read_at
    from changed
    inner join seen
        on
            changed.scope_key = seen.scope_key
            and changed.bug_id = seen.bug_id
            and changed.loaded_at > seen.read_at
    group by changed.customer_id, changed.bug_id, changed.version_number
),

dated as (
    select
        changed.bug_id,
        changed.customer_id,
        changed.version_number,
        changed.changed_field,
        changed.from_value,
        changed.to_value,
        coalesce(last_seen.read_at, changed.previous_loaded_at) as last_seen_before_at,
        changed.first_seen_at as first_seen_after_at
    from changed
    left join last_seen
        on
            changed.customer_id = last_seen.customer_id
            and changed.bug_id = last_seen.bug_id
            and changed.version_number = last_seen.version_number
)

select * from dated
