{% macro last_text(text) -%}
    {{ adapter.dispatch('last_text', 'testio')(text) }}
{%- endmacro %}

{% macro default__last_text(text) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{% macro duckdb__last_text(text) -%}
    max({{ text }})
{%- endmacro %}

{# The result sorts as other texts do, or a table of both could not be made. #}
{% macro postgres__last_text(text) -%}
    max({{ text }} collate "C") collate "default"
{%- endmacro %}

{% macro spark__last_text(text) -%}
    max({{ text }})
{%- endmacro %}
