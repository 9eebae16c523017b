-- If a load is killed while it completes, dlt can note it twice.
select
    load_id,
    min(inserted_at) as inserted_at
from {{ source('testio_raw', '_dlt_loads') }}
where status = 0
group by load_id
