{% macro array_length(document) -%}
    {{ adapter.dispatch('array_length', 'testio')(document) }}
{%- endmacro %}

{% macro default__array_length(document) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{% macro duckdb__array_length(document) -%}
    cast(coalesce(json_array_length(try_cast({{ document }} as json)), 0) as bigint)
{%- endmacro %}

{% macro postgres__array_length(document) -%}
    cast(coalesce(json_array_length({{ testio.try_json(document, 'array') }}), 0) as bigint)
{%- endmacro %}

{% macro spark__array_length(document) -%}
    cast(coalesce(json_array_length({{ document }}), 0) as bigint)
{%- endmacro %}
