{# The newest version of each record of a raw table, of what completed loads have landed.

   Which version is the newest is found out without touching payloads, so that these are only streamed.
   Not every destination can close a version when the next one lands: _dlt_valid_to is not used. #}
{% macro current_records(table) -%}
    select versions.*
    from {{ source('testio_raw', table) }} as versions
    inner join (
        select
            customer_id,
            id,
            loaded_at,
            content_hash,
            row_number() over (
                partition by customer_id, id
                order by loaded_at desc, content_hash desc
            ) as age
        from {{ source('testio_raw', table) }}
        where _dlt_load_id in (
            select loads.load_id
            from {{ source('testio_raw', '_dlt_loads') }} as loads
            where loads.status = 0
        )
    ) as newest
        on
            versions.customer_id = newest.customer_id
            and versions.id = newest.id
            and versions.loaded_at = newest.loaded_at
            and versions.content_hash = newest.content_hash
            and newest.age = 1
{%- endmacro %}
