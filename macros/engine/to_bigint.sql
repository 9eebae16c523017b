{# The integer that a text writes, or null. Digits with a minus sign at most: engines differ in what
   else they take for an integer (1_000, 0x1F, 1e2, 3.7, +5). #}
{% macro to_bigint(text) -%}
    {{ adapter.dispatch('to_bigint', 'testio')(text) }}
{%- endmacro %}

{% macro default__to_bigint(text) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{% macro duckdb__to_bigint(text) -%}
    case when regexp_full_match({{ text }}, '-?[0-9]{1,19}') then try_cast({{ text }} as bigint) end
{%- endmacro %}
