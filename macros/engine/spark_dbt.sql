{# Overrides dbt's macros on Spark. Contracts have the type `double precision`, which Spark calls `double`. #}
{% macro spark__cast(expression, type) -%}
    cast({{ expression }} as {{ 'double' if type == 'double precision' else type }})
{%- endmacro %}

{# In Spark, a backslash is an escape character too, and the JSON in unit tests contains backslashes. #}
{% macro spark__escape_single_quotes(expression) -%}
    {{ expression | replace('\\', '\\\\') | replace("'", "\\'") }}
{%- endmacro %}

{# `collect_list` has no defined order, so its result is sorted. #}
{% macro spark__listagg(measure, delimiter_text, order_by_clause, limit_num) -%}
    {%- set place = order_by_clause | replace('order by ', '') -%}
    nullif(array_join(transform(
        array_sort(collect_list(case when {{ measure }} is not null then struct({{ place }}, {{ measure }} as given_text) end)),
        element -> element.given_text
    ), {{ delimiter_text }}), '')
{%- endmacro %}

{# The macros of Databricks count whole periods instead of the boundaries of days and months, and first query
   the version of the warehouse. #}
{% macro databricks__datediff(first_date, second_date, datepart) -%}
    {{ spark__datediff(first_date, second_date, datepart) }}
{%- endmacro %}

{% macro databricks__dateadd(datepart, interval, from_date_or_timestamp) -%}
    {{ spark__dateadd(datepart, interval, from_date_or_timestamp) }}
{%- endmacro %}
