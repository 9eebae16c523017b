{% macro entity_key(id) -%}
    cast(customer_id as {{ dbt.type_string() }}) || '/' || cast({{ id }} as {{ dbt.type_string() }})
{%- endmacro %}
