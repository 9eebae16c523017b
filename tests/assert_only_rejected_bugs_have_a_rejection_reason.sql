select
    customer_id,
    bug_id,
    status,
    rejection_reason
from {{ ref('fct_bugs') }}
where
    rejection_reason is not null
    and status <> 'rejected'
