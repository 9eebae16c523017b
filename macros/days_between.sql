{% macro days_between(first_moment, second_moment) -%}
    {{ to_double(dbt.datediff(first_moment, second_moment, 'second')) }} / 86400
{%- endmacro %}
