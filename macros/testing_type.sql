{# A test's type as people name it: the API's external is custom, its null is a run of test cases. #}
{% macro testing_type(testing_type='testing_type') -%}
    case {{ testing_type }} when 'external' then 'custom' else coalesce({{ testing_type }}, 'test_case') end
{%- endmacro %}
