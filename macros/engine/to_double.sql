{% macro to_double(number) -%}
    {{ adapter.dispatch('to_double', 'testio')(number) }}
{%- endmacro %}

{% macro default__to_double(number) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{% macro duckdb__to_double(number) -%}
    cast({{ number }} as double)
{%- endmacro %}

{% macro postgres__to_double(number) -%}
    cast({{ number }} as double precision)
{%- endmacro %}

{% macro spark__to_double(number) -%}
    cast({{ number }} as double)
{%- endmacro %}
