{%- set healthy_rejection = var('rejection_rate_healthy_below') | float %}
{%- set critical_rejection = var('rejection_rate_critical_above') | float %}
{%- set healthy_auto = var('auto_acceptance_rate_healthy_below') | float %}
{%- set critical_auto = var('auto_acceptance_rate_critical_above') | float %}
{%- set healthy_review = var('review_rate_healthy_above') | float %}
{%- set critical_review = var('review_rate_critical_below') | float %}
{%- set healthy_active = var('active_acceptance_rate_healthy_from') | float %}
{%- set critical_active = var('active_acceptance_rate_critical_below') | float %}
{%- set enough = var('health_minimum_decided_bugs') | int %}
{%- set rejection = 'rejection_rate_of_decided' %}
{%- set auto = 'auto_acceptance_rate' %}
{%- set review = 'review_rate_of_decided' %}
{%- set active = 'active_acceptance_rate_of_decided' %}
{%- set cases = [
    (enough, healthy_rejection - 0.01, 0, 1, 1, 'healthy', 'none'),
    (enough, healthy_rejection, 0, 1, 1, 'warning', rejection),
    (enough, critical_rejection, 0, 1, 1, 'warning', rejection),
    (enough, critical_rejection + 0.01, 0, 1, 1, 'critical', rejection),
    (enough, 0, healthy_auto - 0.01, 1, 1, 'healthy', 'none'),
    (enough, 0, healthy_auto, 1, 1, 'warning', auto),
    (enough, 0, critical_auto, 1, 1, 'warning', auto),
    (enough, 0, critical_auto + 0.01, 1, 1, 'critical', auto),
    (enough, 0, 0, healthy_review + 0.01, 1, 'healthy', 'none'),
    (enough, 0, 0, healthy_review, 1, 'warning', review),
    (enough, 0, 0, critical_review, 1, 'warning', review),
    (enough, 0, 0, critical_review - 0.01, 1, 'critical', review),
    (enough, 0, 0, 1, healthy_active, 'healthy', 'none'),
    (enough, 0, 0, 1, healthy_active - 0.01, 'warning', active),
    (enough, 0, 0, 1, critical_active, 'warning', active),
    (enough, 0, 0, 1, critical_active - 0.01, 'critical', active),
    (enough, healthy_rejection, critical_auto + 0.01, 1, 1, 'critical', auto),
    (enough, healthy_rejection, healthy_auto, 1, 1, 'warning', rejection),
    (enough, 0, 'null', 1, 1, 'healthy', 'none'),
    (enough - 1, 1, 1, 0, 0, 'too_few_bugs', 'none'),
    (0, 'null', 'null', 'null', 'null', 'too_few_bugs', 'none'),
] %}
with cases as (
    {%- for decided, rejection, auto, review, active, expected, because in cases %}
    select
        {{ loop.index }} as case_number,
        {{ to_double(rejection) }} as rejection_rate_of_decided,
        {{ to_double(auto) }} as auto_acceptance_rate,
        {{ to_double(review) }} as review_rate_of_decided,
        {{ to_double(active) }} as active_acceptance_rate_of_decided,
        {{ enough }} as bug_count,
        {{ decided }} as decided_bug_count,
        '{{ expected }}' as expected,
        '{{ because }}' as expected_because
    union all
    {%- endfor %}
    select
        0 as case_number,
        {{ to_double('null') }} as rejection_rate_of_decided,
        {{ to_double('null') }} as auto_acceptance_rate,
        {{ to_double('null') }} as review_rate_of_decided,
        {{ to_double('null') }} as active_acceptance_rate_of_decided,
        0 as bug_count,
        0 as decided_bug_count,
        'none' as expected,
        'none' as expected_because
),

-- The deprecated health has the same limits, whatever the sample, and reads rates of other names.
judged as (
    select
        *,
        {{ triage_health() }} as triage_health,
        {{ health() }} as health
    from (
        select
            *,
            rejection_rate_of_decided as rejection_rate,
            review_rate_of_decided as review_rate,
            active_acceptance_rate_of_decided as active_acceptance_rate
        from cases
    ) as cases_of_both
),

explained as (
    select
        *,
        {{ triage_health_because() }} as triage_health_because
    from judged
)

select *
from explained
where
    expected <> coalesce(triage_health, 'none')
    or expected_because <> coalesce(triage_health_because, 'none')
    or (expected <> 'too_few_bugs' and expected <> coalesce(health, 'none'))
