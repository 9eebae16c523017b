with changes as (
    select * from {{ ref('int_bug_changes') }}
),

bugs as (
    select * from {{ ref('stg_bugs') }}
),

joined as (
    select
        changes.bug_id,
        changes.customer_id,
        bugs.test_id,
        changes.version_number,
        changes.changed_field,
        changes.from_value,
        changes.to_value,
        changes.last_seen_before_at,
        changes.first_seen_after_at
    from changes
    inner join bugs
        on
            changes.customer_id = bugs.customer_id
            and changes.bug_id = bugs.bug_id
)

select
    *,
    {{ entity_key(['bug_id', 'version_number', 'changed_field']) }} as bug_status_change_key,
    {{ entity_key('bug_id') }} as bug_key
from joined
