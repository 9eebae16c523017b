{# What every operation of this folder answers on an engine it was not written for. #}
{% macro unsupported() -%}
    {{ exceptions.raise_compiler_error("testio supports DuckDB, not " ~ adapter.type()) }}
{%- endmacro %}
