{% macro testing_type(testing_type='testing_type') -%}
    case {{ testing_type }} when 'external' then 'custom' else coalesce({{ testing_type }}, 'test_case') end
{%- endmacro %}
