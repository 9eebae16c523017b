{# The subquery finds the newest version without payloads, so that the engine only streams these.

   The newest version is the one that was loaded last or, for an archive, recorded last. _dlt_valid_to is not
   used because it depends on the order of landing, and because not every destination can close a version.

   The order is total, because loaded_at can be the same: if an archive is replayed twice, the same version
   lands twice, and a test that names no product lands with each product that lists it. #}
{% macro current_records(table) -%}
    {{ testio.records_by_age(table, '= 1') }}
{%- endmacro %}

{% macro earlier_records(table) -%}
    {{ testio.records_by_age(table, '> 1') }}
{%- endmacro %}

{% macro records_by_age(table, ages) -%}
    select versions.*
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
                order by {{ testio.newest_first(table) }}
            ) as age
        from (
            {{ testio.landed_rows(table) }}
        ) as landed
    ) as aged
        on
            versions.customer_id = aged.customer_id
            and versions.id = aged.id
            and versions.loaded_at = aged.loaded_at
            and versions.content_hash = aged.content_hash
            and versions._dlt_load_id = aged._dlt_load_id
            and aged.age {{ ages }}
{%- endmacro %}

{% macro newest_first(table) -%}
    loaded_at desc, {{ 'product_id asc, ' if testio.endpoints()[table] == 'product' }}content_hash desc, _dlt_load_id desc
{%- endmacro %}
