{% macro scope_key(product_id='product_id', test_id='test_id') -%}
    concat_ws(
        '/',
        cast(customer_id as {{ dbt.type_string() }}),
        endpoint,
        coalesce(cast({{ product_id }} as {{ dbt.type_string() }}), '-'),
        coalesce(cast({{ test_id }} as {{ dbt.type_string() }}), '-')
    )
{%- endmacro %}
