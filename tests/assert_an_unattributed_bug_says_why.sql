select
    customer_id,
    bug_id,
    test_feature_id,
    unattributed_because
from {{ ref('fct_bugs') }}
where (test_feature_id is null) = (unattributed_because is null)
