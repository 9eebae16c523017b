select
    present.customer_id,
    present.endpoint,
    present.record_id
from {{ ref('int_present_records') }} as present
left join {{ ref('int_record_versions') }} as versions
    on
        present.customer_id = versions.customer_id
        and present.endpoint = versions.endpoint
        and present.record_id = versions.record_id
where versions.record_id is null
