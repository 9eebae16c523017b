{# The calendar depends on vars and on the time of the build, not on the data: a single test that ends in 2999
   would make it a thousand years long. #}
{% macro first_day() -%}
    cast('{{ var('calendar_first_year') }}-01-01' as date)
{%- endmacro %}

{% macro last_day() -%}
    cast('{{ run_started_at.year + var('calendar_years_ahead') | int }}-12-31' as date)
{%- endmacro %}

{# Every BI tool can read this date, while some cannot read years 1 and 9999. It is outside any calendar. #}
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
