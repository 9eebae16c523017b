{% macro landed_rows(table) -%}
    {%- set rows %}
    select landed.*
    from {{ source('testio_raw', table) }} as landed
    where landed._dlt_load_id in (
        select loads.load_id
        from {{ source('testio_raw', '_dlt_loads') }} as loads
        where loads.status = 0
    )
    {%- endset -%}
    {{ testio.versions(rows) if table in testio.endpoints() else rows }}
{%- endmacro %}
