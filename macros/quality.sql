{% macro rate(part, whole) -%}
    {{ to_double(part) }} / nullif({{ whole }}, 0)
{%- endmacro %}

{# Each rate is defined here only. The query that calls it has the counts as columns. #}
{% macro overall_acceptance_rate() -%}
    {{ rate('accepted_bug_count + auto_accepted_bug_count', 'bug_count') }}
{%- endmacro %}

{% macro active_acceptance_rate() -%}
    {{ rate('accepted_bug_count', 'bug_count') }}
{%- endmacro %}

{% macro auto_acceptance_rate() -%}
    {{ rate('auto_accepted_bug_count', 'accepted_bug_count + auto_accepted_bug_count') }}
{%- endmacro %}

{% macro rejection_rate() -%}
    {{ rate('rejected_bug_count', 'bug_count') }}
{%- endmacro %}

{% macro review_rate() -%}
    {{ rate('accepted_bug_count + rejected_bug_count', 'bug_count') }}
{%- endmacro %}

{% macro known_bug_rate() -%}
    {{ rate('known_bug_count', 'bug_count') }}
{%- endmacro %}

{% macro bugs_per_test() -%}
    {{ rate('bug_count', 'test_count') }}
{%- endmacro %}

{% macro user_story_pass_rate() -%}
    {{ rate('passed_user_story_count', 'tested_user_story_count') }}
{%- endmacro %}

{% macro health() -%}
    case
        when
            rejection_rate > {{ var('rejection_rate_critical_above') }}
            or auto_acceptance_rate > {{ var('auto_acceptance_rate_critical_above') }}
            or review_rate < {{ var('review_rate_critical_below') }}
            or active_acceptance_rate < {{ var('active_acceptance_rate_critical_below') }}
            then 'critical'
        when
            rejection_rate >= {{ var('rejection_rate_healthy_below') }}
            or auto_acceptance_rate >= {{ var('auto_acceptance_rate_healthy_below') }}
            or review_rate <= {{ var('review_rate_healthy_above') }}
            or active_acceptance_rate < {{ var('active_acceptance_rate_healthy_from') }}
            then 'warning'
        when bug_count > 0 then 'healthy'
    end
{%- endmacro %}
