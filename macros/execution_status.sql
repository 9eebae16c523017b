{% macro execution_status(failed_count, blocked_count, passed_count, bug_count) -%}
    case
        when {{ failed_count }} > 0 or {{ bug_count }} > 0 then 'failed'
        when {{ blocked_count }} > 0 then 'blocked'
        when {{ passed_count }} > 0 then 'passed'
        else 'not_tested'
    end
{%- endmacro %}
