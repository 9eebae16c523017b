{% macro to_bigint(text) -%}
    {{ adapter.dispatch('to_bigint', 'testio')(text) }}
{%- endmacro %}

{% macro default__to_bigint(text) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{% macro duckdb__to_bigint(text) -%}
    case when regexp_full_match({{ text }}, '-?[0-9]{1,19}') then try_cast({{ text }} as bigint) end
{%- endmacro %}

{% macro postgres__to_bigint(text) -%}
    case
        when {{ text }} ~ '^-?[0-9]{1,19}$'
            then
                case
                    when cast({{ text }} as numeric) between -9223372036854775808 and 9223372036854775807
                        then cast({{ text }} as bigint)
                end
    end
{%- endmacro %}

{% macro spark__to_bigint(text) -%}
    case when {{ text }} rlike r'^-?[0-9]{1,19}\z' then try_cast({{ text }} as bigint) end
{%- endmacro %}
