{# The calendar goes by vars and by when it is built, not by the data: one test that ends in 2999 would make it a
   thousand years long. #}
{% macro first_day() -%}
    cast('{{ var('calendar_first_year') }}-01-01' as date)
{%- endmacro %}

{% macro last_day() -%}
    cast('{{ run_started_at.year + var('calendar_years_ahead') | int }}-12-31' as date)
{%- endmacro %}

{# Any BI tool can read this date, which year 1 and year 9999 are not on some; no year of the calendar is it. #}
{% macro placeholder_day() -%}
    cast('1900-01-01' as date)
{%- endmacro %}

{% macro calendar_day(moment) -%}
    case
        when cast({{ moment }} as date) between {{ testio.first_day() }} and {{ testio.last_day() }}
            then cast({{ moment }} as date)
        when {{ moment }} is not null then {{ testio.placeholder_day() }}
    end
{%- endmacro %}
