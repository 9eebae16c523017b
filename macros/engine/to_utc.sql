{% macro to_utc(moment) -%}
    {{ adapter.dispatch('to_utc', 'testio')(moment) }}
{%- endmacro %}

{% macro default__to_utc(moment) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{% macro duckdb__to_utc(moment) -%}
    ({{ moment }} at time zone 'UTC')
{%- endmacro %}

{% macro postgres__to_utc(moment) -%}
    ({{ moment }} at time zone 'UTC')
{%- endmacro %}

{% macro spark__to_utc(moment) -%}
    cast({{ moment }} as timestamp)
{%- endmacro %}
