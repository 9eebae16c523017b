{# The status of a user story or of a feature in a test, by the API guide's table, out of how many
   executions failed, were blocked and passed, and how many bugs are linked:

     failed      at least one execution has failed, or at least one bug is linked
     blocked     at least one execution is blocked, and none failed
     passed      all executions passed, and there is no bug
     not_tested  there are no executions

   An execution that is pending or cancelled has no result, and so is none. A feature's executions are
   those of its user stories: without user stories it is never blocked or passed. #}
{% macro execution_status(failed_count, blocked_count, passed_count, bug_count) -%}
    case
        when {{ failed_count }} > 0 or {{ bug_count }} > 0 then 'failed'
        when {{ blocked_count }} > 0 then 'blocked'
        when {{ passed_count }} > 0 then 'passed'
        else 'not_tested'
    end
{%- endmacro %}
