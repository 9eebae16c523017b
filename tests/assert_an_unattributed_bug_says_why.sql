-- A bug has a test feature, or a reason why it has none. A row: a bug with both or neither.
select
    customer_id,
    bug_id,
    test_feature_id,
    unattributed_because
from {{ ref('fct_bugs') }}
where (test_feature_id is null) = (unattributed_because is null)
