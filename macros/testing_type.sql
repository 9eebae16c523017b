{% macro testing_type(testing_type='testing_type', given='given_testing_type') -%}
    case
        when {{ testing_type }} = 'external' then 'custom'
        when {{ testing_type }} is null and {{ named(given) }} is null then 'test_case'
        else {{ testing_type }}
    end
{%- endmacro %}
