{# One row for each day from one date to another, both included, in the column `date_day`. `relation` has the
   two in one row, as `first_day` and `last_day`; if they are null there is no day. #}
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
