{% macro engines() %}
    {{- return({
        'duckdb': 'DuckDB', 'postgres': 'PostgreSQL', 'spark': 'Apache Spark', 'databricks': 'Databricks'
    }) }}
{% endmacro %}

{% macro unsupported() -%}
    {%- set names = testio.engines().values() | list %}
    {{ exceptions.raise_compiler_error(
        'testio runs on ' ~ names[:-1] | join(', ') ~ ' and ' ~ names[-1] ~ ', not on ' ~ adapter.type()
    ) }}
{%- endmacro %}
