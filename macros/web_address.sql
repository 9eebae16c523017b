{# The SQL of an address: the template in a var, with ids in the place of their names in braces. #}
{% macro web_address(name, ids) -%}
    {%- set template = var(name) or '' -%}
    {%- if not template -%}
        cast(null as {{ dbt.type_string() }})
    {%- else -%}
        {%- set address = namespace(sql="'" ~ template ~ "'") -%}
        {%- for id, column in ids.items() -%}
            {%- set text = "' || cast(" ~ column ~ ' as ' ~ dbt.type_string() ~ ") || '" -%}
            {%- set address.sql = address.sql | replace('{' ~ id ~ '}', text) -%}
        {%- endfor -%}
        {{ address.sql }}
    {%- endif -%}
{%- endmacro %}
