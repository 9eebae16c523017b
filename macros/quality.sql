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

{% macro rejection_rate() -%}
    {{ rate('rejected_bug_count', 'bug_count') }}
{%- endmacro %}

{% macro review_rate() -%}
    {{ rate('accepted_bug_count + rejected_bug_count', 'bug_count') }}
{%- endmacro %}

{% macro bugs_per_test() -%}
    {{ rate('bug_count', 'test_count') }}
{%- endmacro %}

{# Open bugs, and those of an unknown status, are not decided. #}
{% macro decided_bug_count() -%}
    accepted_bug_count + auto_accepted_bug_count + rejected_bug_count
{%- endmacro %}

{# The part and the whole of each rate that has bounds. #}
{% macro bounded_rates() %}
    {{- return({
        'acceptance_rate_of_decided':
            ('accepted_bug_count + auto_accepted_bug_count', testio.decided_bug_count()),
        'active_acceptance_rate_of_decided': ('accepted_bug_count', testio.decided_bug_count()),
        'rejection_rate_of_decided': ('rejected_bug_count', testio.decided_bug_count()),
        'review_rate_of_decided': ('accepted_bug_count + rejected_bug_count', testio.decided_bug_count()),
        'auto_acceptance_rate': ('auto_accepted_bug_count', 'accepted_bug_count + auto_accepted_bug_count'),
        'known_bug_rate': ('known_bug_count', 'bug_count'),
        'severe_bug_rate':
            ('critical_bug_count + high_bug_count', 'critical_bug_count + high_bug_count + low_bug_count'),
        'user_story_pass_rate': ('passed_user_story_count', 'tested_user_story_count'),
    }) }}
{% endmacro %}

{# A rate, with its bounds as `<name>_low` and `<name>_high`. #}
{% macro bounded_rate(name) -%}
    {%- set part, whole = testio.bounded_rates()[name] %}
    {{- rate(part, '(' ~ whole ~ ')') }} as {{ name }},
        {{ testio.wilson_low(part, whole) }} as {{ name }}_low,
        {{ testio.wilson_high(part, whole) }} as {{ name }}_high
{%- endmacro %}

{% macro bounded_bugs_per_test() -%}
    {{ testio.bugs_per_test() }} as bugs_per_test,
        {{ testio.byar_low('bug_count', 'test_count') }} as bugs_per_test_low,
        {{ testio.byar_high('bug_count', 'test_count') }} as bugs_per_test_high
{%- endmacro %}

{# Deprecated: it judges rates of all bugs, of any number of them. #}
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

{# Each rate that triage is judged by, with the conditions for critical and for warning. The first one in this
   order gives the reason if several do. #}
{% macro triage_limits() %}
    {{- return({
        'rejection_rate_of_decided': (
            '> ' ~ var('rejection_rate_critical_above'), '>= ' ~ var('rejection_rate_healthy_below')
        ),
        'auto_acceptance_rate': (
            '> ' ~ var('auto_acceptance_rate_critical_above'),
            '>= ' ~ var('auto_acceptance_rate_healthy_below'),
        ),
        'review_rate_of_decided': (
            '< ' ~ var('review_rate_critical_below'), '<= ' ~ var('review_rate_healthy_above')
        ),
        'active_acceptance_rate_of_decided': (
            '< ' ~ var('active_acceptance_rate_critical_below'),
            '< ' ~ var('active_acceptance_rate_healthy_from'),
        ),
    }) }}
{% endmacro %}

{# Whether one of the rates is over a limit. Rates that are null are not. #}
{% macro triage_condition(rates, level) -%}
    {%- for name in rates -%}
        {{ name }} {{ testio.triage_limits()[name][level] }}
        {{- '\n            or ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{% macro triage_health(rates=none) -%}
    {%- set rates = rates or testio.triage_limits().keys() | list %}
    {{- '' }}case
        when bug_count > 0 and decided_bug_count < {{ var('health_minimum_decided_bugs') }}
            then 'too_few_bugs'
        when
            {{ testio.triage_condition(rates, 0) }}
            then 'critical'
        when
            {{ testio.triage_condition(rates, 1) }}
            then 'warning'
        when bug_count > 0 then 'healthy'
    end
{%- endmacro %}

{% macro triage_health_because(rates=none) -%}
    case
    {%- for name in rates or testio.triage_limits().keys() | list %}
        when triage_health = 'critical' and {{ name }} {{ testio.triage_limits()[name][0] }} then '{{ name }}'
        when triage_health = 'warning' and {{ name }} {{ testio.triage_limits()[name][1] }} then '{{ name }}'
    {%- endfor %}
    end
{%- endmacro %}
