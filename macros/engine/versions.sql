{% macro versions(rows) -%}
    {{ adapter.dispatch('versions', 'testio')(rows) }}
{%- endmacro %}

{% macro default__versions(rows) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{% macro duckdb__versions(rows) -%}
    {{ rows }}
{%- endmacro %}

{% macro postgres__versions(rows) -%}
    {{ rows }}
{%- endmacro %}

{# Raw tables of files are only added to: each load lands again what it has read again. Of the same
   version several times in a row, the first is when it came. #}
{% macro spark__versions(rows) -%}
    select *
    from (
        select
            landed.*,
            lag(content_hash) over (
                partition by customer_id, id
                order by loaded_at, content_hash, _dlt_load_id
            ) as content_hash_before
        from ({{ rows }}) as landed
    ) as landed
    where coalesce(content_hash_before <> content_hash, true)
{%- endmacro %}
