{# Only completed loads count: a load that fails can leave some tables new and others old. #}
{% macro landed_rows(table) -%}
    select
        landed.*,
        loads.inserted_at as landed_at
    from {{ source('testio_raw', table) }} as landed
    inner join {{ ref('base_loads') }} as loads on landed._dlt_load_id = loads.load_id
{%- endmacro %}

{# The subquery finds the newest version without payloads, so that the engine only streams these.

   The newest version is the one that was loaded last or, for an archive, recorded last. _dlt_valid_to is not
   used because it depends on the order of landing, and because not every destination can close a version.

   The order is total, because loaded_at can be the same: if an archive is replayed twice, the same version
   lands twice, and a test that names no product lands with each product that lists it. #}
{% macro landed_versions(table) -%}
    {%- set by_product = 'product_id asc, ' if testio.endpoints()[table] == 'product' %}
    select
        versions.*,
        aged.version_age
    from {{ source('testio_raw', table) }} as versions
    inner join (
        select
            customer_id,
            id,
            loaded_at,
            content_hash,
            _dlt_load_id,
            row_number() over (
                partition by customer_id, id
                order by loaded_at desc, {{ by_product }}content_hash desc, _dlt_load_id desc
            ) as version_age
        from {{ source('testio_raw', table) }}
        where _dlt_load_id in (select loads.load_id from {{ ref('base_loads') }} as loads)
    ) as aged
        on
            versions.customer_id = aged.customer_id
            and versions.id = aged.id
            and versions.loaded_at = aged.loaded_at
            and versions.content_hash = aged.content_hash
            and versions._dlt_load_id = aged._dlt_load_id
{%- endmacro %}
