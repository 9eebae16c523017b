{# An id and its customer in one text, as MetricFlow joins and counts by one expression; null without an
   id. #}
{% macro entity_key(id) -%}
    cast(customer_id as {{ dbt.type_string() }}) || '/' || cast({{ id }} as {{ dbt.type_string() }})
{%- endmacro %}
