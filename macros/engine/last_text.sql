{% macro last_text(text) -%}
    {{ adapter.dispatch('last_text', 'testio')(text) }}
{%- endmacro %}

{% macro default__last_text(text) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{% macro duckdb__last_text(text) -%}
    max({{ text }})
{%- endmacro %}

{# The result gets the default collation again, because PostgreSQL cannot create a table with mixed
   collations. #}
{% macro postgres__last_text(text) -%}
    max({{ text }} collate "C") collate "default"
{%- endmacro %}

{% macro spark__last_text(text) -%}
    max({{ text }})
{%- endmacro %}
