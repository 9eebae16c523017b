with bugs as (
    select * from {{ ref('fct_bugs') }}
    where
        is_counted
        and tester_name is not null
),

counted as (
    select
        tester_name,
        customer_id,
        count(distinct test_id) as test_count,
        count(distinct product_id) as product_count,
        count(*) as bug_count,
        count(case when is_accepted then 1 end) as accepted_bug_count,
        count(case when is_auto_accepted then 1 end) as auto_accepted_bug_count,
        count(case when is_rejected then 1 end) as rejected_bug_count,
        count(case when is_open then 1 end) as open_bug_count,
        count(case when is_known then 1 end) as known_bug_count,
        count(case when test_feature_id is null then 1 end) as unattributed_bug_count,
        count(case when severity = 'critical' then 1 end) as critical_bug_count,
        count(case when severity = 'high' then 1 end) as high_bug_count,
        count(case when severity = 'low' then 1 end) as low_bug_count,
        count(case when severity = 'visual' then 1 end) as visual_bug_count,
        count(case when severity = 'content' then 1 end) as content_bug_count,
        count(case when severity = 'custom' then 1 end) as custom_bug_count,
        cast(sum(severity_weight) as {{ score_type() }}) as bug_severity_score
    from bugs
    group by tester_name, customer_id
),

sampled as (
    select * from counted
    where bug_count >= {{ var('tester_minimum_bugs') }}
),

rated as (
    select
        *,
        {{ bugs_per_test() }} as bugs_per_test,
        {{ overall_acceptance_rate() }} as overall_acceptance_rate,
        {{ active_acceptance_rate() }} as active_acceptance_rate,
        {{ auto_acceptance_rate() }} as auto_acceptance_rate,
        {{ rejection_rate() }} as rejection_rate,
        {{ review_rate() }} as review_rate,
        {{ known_bug_rate() }} as known_bug_rate,
        {{ rate('bug_severity_score', 'bug_count') }} as severity_score_per_bug
    from sampled
),

judged as (
    select
        *,
        {{ health() }} as health
    from rated
)

select
    *,
    {{ entity_key('tester_name') }} as tester_key
from judged
