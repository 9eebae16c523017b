{% macro enforces_constraints() %}
    {{- return(adapter.dispatch('enforces_constraints', 'testio')()) }}
{% endmacro %}

{% macro default__enforces_constraints() %}
    {{- testio.unsupported() }}
{% endmacro %}

{% macro duckdb__enforces_constraints() %}
    {{- return(true) }}
{% endmacro %}

{% macro postgres__enforces_constraints() %}
    {{- return(true) }}
{% endmacro %}

{# Spark knows neither constraint; Databricks enforces not null alone. #}
{% macro spark__enforces_constraints() %}
    {{- return(false) }}
{% endmacro %}
