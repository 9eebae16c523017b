select distinct customer_id
from {{ ref('int_record_versions') }}
