{# The same on every engine, unlike dbt.dateadd, which loses fractions of seconds on Spark. #}
{% macro days_later(moment, days) -%}
    {{ moment }} + interval '{{ days }}' day
{%- endmacro %}
