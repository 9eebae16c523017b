{# Overrides dbt's macro on DuckDB: it scans whole columns, so the indexes in the configuration would not make
   queries faster. #}
{% macro duckdb__create_indexes(relation) -%}
{%- endmacro %}
