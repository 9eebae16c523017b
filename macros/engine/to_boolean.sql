{% macro to_boolean(text) -%}
    {{ adapter.dispatch('to_boolean', 'testio')(text) }}
{%- endmacro %}

{% macro default__to_boolean(text) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{% macro duckdb__to_boolean(text) -%}
    case {{ text }} when 'true' then true when 'false' then false end
{%- endmacro %}

{% macro postgres__to_boolean(text) -%}
    case {{ text }} when 'true' then true when 'false' then false end
{%- endmacro %}

{% macro spark__to_boolean(text) -%}
    case {{ text }} when 'true' then true when 'false' then false end
{%- endmacro %}
