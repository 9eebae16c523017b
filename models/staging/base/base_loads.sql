select
    load_id,
    inserted_at
from {{ source('testio_raw', '_dlt_loads') }}
where status = 0
