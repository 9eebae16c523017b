select
    customer_id,
    bug_id,
    rejection_reason
from {{ ref('fct_bugs') }}
where
    rejection_reason is not null
    and not is_rejected
