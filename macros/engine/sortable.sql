{% macro sortable(text) -%}
    {{ adapter.dispatch('sortable', 'testio')(text) }}
{%- endmacro %}

{% macro default__sortable(text) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{% macro duckdb__sortable(text) -%}
    {{ text }}
{%- endmacro %}

{% macro postgres__sortable(text) -%}
    {{ text }} collate "C"
{%- endmacro %}

{% macro spark__sortable(text) -%}
    {{ text }}
{%- endmacro %}
