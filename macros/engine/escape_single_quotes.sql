{# In a text of Spark a backslash escapes as well: fixtures of unit tests have JSON with some. #}
{% macro spark__escape_single_quotes(expression) -%}
    {{ expression | replace('\\', '\\\\') | replace("'", "\\'") }}
{%- endmacro %}
