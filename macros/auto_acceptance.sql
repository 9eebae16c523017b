{# The API's guide: the system accepts a bug that nobody has decided within ten days. An engine may have no time
   ten days after the last year that it knows. #}
{% macro auto_accepted_at(reported_at) -%}
    case
        when {{ testio.calendar_day(reported_at) }} <> {{ testio.placeholder_day() }}
            then {{ testio.days_later(reported_at, var('auto_acceptance_days')) }}
    end
{%- endmacro %}
