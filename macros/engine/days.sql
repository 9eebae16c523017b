{% macro days(relation) -%}
    {{ adapter.dispatch('days', 'testio')(relation) }}
{%- endmacro %}

{% macro default__days(relation) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{% macro duckdb__days(relation) -%}
    select cast(unnest(generate_series(first_day, last_day, interval '1 day')) as date) as date_day
    from {{ relation }}
{%- endmacro %}

{% macro postgres__days(relation) -%}
    select cast(generate_series(cast(first_day as timestamp), cast(last_day as timestamp), interval '1 day') as date)
        as date_day
    from {{ relation }}
{%- endmacro %}

{# `sequence` fails if the last day is before the first. #}
{% macro spark__days(relation) -%}
    select explode(
        case when first_day <= last_day then sequence(first_day, last_day, interval 1 day) end
    ) as date_day
    from {{ relation }}
{%- endmacro %}
