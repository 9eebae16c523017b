{# Keys are for people and BI tools. Models join by ids, because numbers are joined about three times as fast. #}
{% macro entity_key(ids, member=none, customer_id='customer_id') -%}
    {%- set parts = [] -%}
    {%- for id in ([ids] if ids is string else ids) -%}
        {%- set text = 'cast(' ~ id ~ ' as ' ~ dbt.type_string() ~ ')' -%}
        {%- do parts.append(text if member is none else 'coalesce(' ~ text ~ ", '" ~ member ~ "')") -%}
    {%- endfor -%}
    cast({{ customer_id }} as {{ dbt.type_string() }}) || '/' || {{ parts | join(" || '/' || ") }}
{%- endmacro %}
