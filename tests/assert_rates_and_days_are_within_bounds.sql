{%- set marts = ['product_quality', 'feature_quality', 'test_quality', 'tester_quality'] %}
{%- set rates = [
    'overall_acceptance_rate', 'active_acceptance_rate', 'auto_acceptance_rate', 'rejection_rate',
    'review_rate', 'known_bug_rate',
] %}
{%- for mart in marts %}
select
    '{{ mart }}' as mart,
    customer_id,
    bug_count
from {{ ref(mart) }}
where
    accepted_bug_count + auto_accepted_bug_count + rejected_bug_count + open_bug_count > bug_count
    or (bug_count > 0) <> (health is not null)
    or (bug_count > 0) <> (rejection_rate is not null)
    {%- for name in rates %}
    or {{ name }} < 0
    or {{ name }} > 1
    {%- endfor %}
union all
{%- endfor %}
select
    'fct_bugs' as mart,
    customer_id,
    1 as bug_count
from {{ ref('fct_bugs') }}
where days_to_first_triage < 0
