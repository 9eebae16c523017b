{# What dbt's own macros do otherwise on DuckDB: it reads columns as a whole, so that no reader gains by the
   indexes of the configuration. #}
{% macro duckdb__create_indexes(relation) -%}
{%- endmacro %}
