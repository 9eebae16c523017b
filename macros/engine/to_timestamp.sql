{% macro to_timestamp(text) -%}
    {{ adapter.dispatch('to_timestamp', 'testio')(text) }}
{%- endmacro %}

{% macro default__to_timestamp(text) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{% macro duckdb__to_timestamp(text) -%}
    {%- set date = '[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])' -%}
    {%- set time = '([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?' -%}
    {%- set offset = '(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)' -%}
    case
        when regexp_full_match({{ text }}, '{{ date }}T{{ time }}{{ offset }}')
            then try_cast({{ text }} as timestamptz) at time zone 'UTC'
    end
{%- endmacro %}

{# A cast would round digits beyond microseconds, and fail on a day that the month does not have. #}
{% macro postgres__to_timestamp(text) -%}
    {%- set date = '[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])' -%}
    {%- set time = '([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?' -%}
    {%- set offset = '(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)' -%}
    case
        when {{ text }} ~ '^{{ date }}T{{ time }}{{ offset }}$'
            then
                case
                    when
                        cast(substr({{ text }}, 9, 2) as integer) <= extract(
                            day from
                            cast(substr({{ text }}, 1, 8) || '01' as timestamp)
                            + interval '1 month' - interval '1 day'
                        )
                        then
                            cast(regexp_replace({{ text }}, '([.][0-9]{6})[0-9]+', '\1') as timestamptz)
                            at time zone 'UTC'
                end
    end
{%- endmacro %}

{# Spark shows a timestamp in the session's time zone, which the profile sets to UTC. #}
{% macro spark__to_timestamp(text) -%}
    {%- set date = '[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])' -%}
    {%- set time = '([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?' -%}
    {%- set offset = '(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)' -%}
    case when {{ text }} rlike r'^{{ date }}T{{ time }}{{ offset }}\z' then try_cast({{ text }} as timestamp) end
{%- endmacro %}
