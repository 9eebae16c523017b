select
    customer_id,
    bug_id
from {{ ref('fct_bugs') }}
where
    decided_at < reported_at
    or earliest_decided_at > decided_at
    or days_to_decision < 0
    or days_to_export < 0
    or (decided_at is not null and not is_decided)
    or (decided_at is null) <> (decided_at_basis is null)
    or (auto_accept_due_at is not null and not is_open)
