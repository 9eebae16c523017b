{# What dbt's own macros do otherwise on Spark. First: the contracts' `double precision` is called `double`. #}
{% macro spark__cast(expression, type) -%}
    cast({{ expression }} as {{ 'double' if type == 'double precision' else type }})
{%- endmacro %}

{# In a text a backslash escapes as well, and there are some in the JSON of unit tests. #}
{% macro spark__escape_single_quotes(expression) -%}
    {{ expression | replace('\\', '\\\\') | replace("'", "\\'") }}
{%- endmacro %}

{# A list is collected in no order, so it is sorted. #}
{% macro spark__listagg(measure, delimiter_text, order_by_clause, limit_num) -%}
    {%- set place = order_by_clause | replace('order by ', '') -%}
    nullif(array_join(transform(
        array_sort(collect_list(case when {{ measure }} is not null then struct({{ place }}, {{ measure }} as given_text) end)),
        element -> element.given_text
    ), {{ delimiter_text }}), '')
{%- endmacro %}

{# Databricks' own count whole periods, not the ends of days and months between the two, and ask the
   warehouse for its version first. #}
{% macro databricks__datediff(first_date, second_date, datepart) -%}
    {{ spark__datediff(first_date, second_date, datepart) }}
{%- endmacro %}

{% macro databricks__dateadd(datepart, interval, from_date_or_timestamp) -%}
    {{ spark__dateadd(datepart, interval, from_date_or_timestamp) }}
{%- endmacro %}
