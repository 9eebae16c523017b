{% macro unsupported() -%}
    {{ exceptions.raise_compiler_error("testio supports DuckDB, not " ~ adapter.type()) }}
{%- endmacro %}
