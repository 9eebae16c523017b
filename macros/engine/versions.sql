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
   version several times in a row, the first is when it came. An archive that is replayed lands what is
   as old as what it landed before, which the models expect. #}
{% macro spark__versions(rows) -%}
    select *
    from (
        select
            landed.*,
            lag(content_hash) over (
                partition by customer_id, id
                order by loaded_at, content_hash, _dlt_load_id
            ) as content_hash_before,
            lag(loaded_at) over (
                partition by customer_id, id
                order by loaded_at, content_hash, _dlt_load_id
            ) as loaded_before_at
        from ({{ rows }}) as landed
    ) as landed
    where coalesce(content_hash_before <> content_hash or loaded_before_at = loaded_at, true)
{%- endmacro %}
