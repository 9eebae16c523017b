{% macro landed_rows(table) -%}
    select landed.*
    from {{ source('testio_raw', table) }} as landed
    where landed._dlt_load_id in (
        select loads.load_id
        from {{ source('testio_raw', '_dlt_loads') }} as loads
        where loads.status = 0
    )
{%- endmacro %}
