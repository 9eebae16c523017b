{%- set rates = [
    'overall_acceptance_rate', 'active_acceptance_rate', 'auto_acceptance_rate', 'rejection_rate',
    'review_rate', 'known_bug_rate',
] %}
{%- set bounded = [
    'acceptance_rate_of_decided', 'active_acceptance_rate_of_decided', 'rejection_rate_of_decided',
    'review_rate_of_decided', 'auto_acceptance_rate', 'known_bug_rate', 'severe_bug_rate',
] %}
{%- set marts = {
    'product_quality': bounded, 'feature_quality': bounded + ['user_story_pass_rate'],
    'test_quality': bounded + ['user_story_pass_rate'], 'tester_quality': bounded,
} %}
{%- for mart, bounded in marts.items() %}
select
    '{{ mart }}' as mart,
    customer_id,
    bug_count
from {{ ref(mart) }}
where
    accepted_bug_count + auto_accepted_bug_count + rejected_bug_count + open_bug_count > bug_count
    or decided_bug_count <> accepted_bug_count + auto_accepted_bug_count + rejected_bug_count
    or (bug_count > 0) <> (health is not null)
    or (bug_count > 0) <> (triage_health is not null)
    or (coalesce(triage_health, '') in ('critical', 'warning')) <> (triage_health_because is not null)
    or (bug_count > 0) <> (rejection_rate is not null)
    or (decided_bug_count > 0) <> (rejection_rate_of_decided is not null)
    {%- for name in rates %}
    or {{ name }} < 0
    or {{ name }} > 1
    {%- endfor %}
    {%- for name in bounded %}
    or {{ name }}_low < 0
    or {{ name }}_low > {{ name }}
    or {{ name }}_high < {{ name }}
    or {{ name }}_high > 1
    or ({{ name }} is null) <> ({{ name }}_low is null)
    or ({{ name }} is null) <> ({{ name }}_high is null)
    {%- endfor %}
    {%- if mart != 'test_quality' %}
    or bugs_per_test_low < 0
    or bugs_per_test_low > bugs_per_test
    or bugs_per_test_high < bugs_per_test
    or (bugs_per_test is null) <> (bugs_per_test_low is null)
    or (bugs_per_test is null) <> (bugs_per_test_high is null)
    {%- endif %}
union all
{%- endfor %}
select
    'fct_bugs' as mart,
    customer_id,
    1 as bug_count
from {{ ref('fct_bugs') }}
where days_to_first_triage < 0
