{%- set healthy_rejection = var('rejection_rate_healthy_below') | float %}
{%- set critical_rejection = var('rejection_rate_critical_above') | float %}
{%- set healthy_auto = var('auto_acceptance_rate_healthy_below') | float %}
{%- set critical_auto = var('auto_acceptance_rate_critical_above') | float %}
{%- set healthy_review = var('review_rate_healthy_above') | float %}
{%- set critical_review = var('review_rate_critical_below') | float %}
{%- set healthy_active = var('active_acceptance_rate_healthy_from') | float %}
{%- set critical_active = var('active_acceptance_rate_critical_below') | float %}
{%- set cases = [
    (healthy_rejection - 0.01, 0, 1, 1, 'healthy'), (healthy_rejection, 0, 1, 1, 'warning'),
    (critical_rejection, 0, 1, 1, 'warning'), (critical_rejection + 0.01, 0, 1, 1, 'critical'),
    (0, healthy_auto - 0.01, 1, 1, 'healthy'), (0, healthy_auto, 1, 1, 'warning'),
    (0, critical_auto, 1, 1, 'warning'), (0, critical_auto + 0.01, 1, 1, 'critical'),
    (0, 0, healthy_review + 0.01, 1, 'healthy'), (0, 0, healthy_review, 1, 'warning'),
    (0, 0, critical_review, 1, 'warning'), (0, 0, critical_review - 0.01, 1, 'critical'),
    (0, 0, 1, healthy_active, 'healthy'), (0, 0, 1, healthy_active - 0.01, 'warning'),
    (0, 0, 1, critical_active, 'warning'), (0, 0, 1, critical_active - 0.01, 'critical'),
    (healthy_rejection, critical_auto + 0.01, 1, 1, 'critical'), (0, 'null', 1, 1, 'healthy'),
] %}
with cases as (
    {%- for rejection, auto, review, active, expected in cases %}
    select
        {{ loop.index }} as case_number,
        {{ to_double(rejection) }} as rejection_rate,
        {{ to_double(auto) }} as auto_acceptance_rate,
        {{ to_double(review) }} as review_rate,
        {{ to_double(active) }} as active_acceptance_rate,
        1 as bug_count,
        '{{ expected }}' as expected
    union all
    {%- endfor %}
    select
        0 as case_number,
        {{ to_double('null') }} as rejection_rate,
        {{ to_double('null') }} as auto_acceptance_rate,
        {{ to_double('null') }} as review_rate,
        {{ to_double('null') }} as active_acceptance_rate,
        0 as bug_count,
        'none' as expected
),

judged as (
    select
        *,
        {{ health() }} as health
    from cases
)

select *
from judged
where expected <> coalesce(health, 'none')
