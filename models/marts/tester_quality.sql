with bugs as (
    select * from {{ ref('fct_bugs') }}
    where
        is_counted
        and tester_name is not null
),

bug_platforms as (
    select * from {{ ref('bridge_bug_platforms') }}
    where operating_system <> 'unknown'
),

platforms as (
    select distinct
        bugs.tester_name,
        bugs.customer_id,
        bug_platforms.device_category,
        bug_platforms.operating_system
    from bugs
    inner join bug_platforms
        on
            bugs.customer_id = bug_platforms.customer_id
            and bugs.bug_id = bug_platforms.bug_id
),

platforms_of_testers as (
    select
        tester_name,
        customer_id,
        count(*) as platform_count
    from platforms
    group by tester_name, customer_id
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
        count(case when reversal_count > 0 then 1 end) as reversed_bug_count,
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
    select
        counted.*,
        coalesce(platforms_of_testers.platform_count, 0) as platform_count
    from counted
    left join platforms_of_testers
        on
            counted.tester_name = platforms_of_testers.tester_name
            and counted.customer_id = platforms_of_testers.customer_id
    where counted.bug_count >= {{ var('tester_minimum_bugs') }}
),

rated as (
    select
        *,
        {{ decided_bug_count() }} as decided_bug_count,
        {{ bounded_bugs_per_test() }},
        {{ overall_acceptance_rate() }} as overall_acceptance_rate,
        {{ active_acceptance_rate() }} as active_acceptance_rate,
        {{ rejection_rate() }} as rejection_rate,
        {{ review_rate() }} as review_rate,
        {{ bounded_rate('acceptance_rate_of_decided') }},
        {{ bounded_rate('active_acceptance_rate_of_decided') }},
        {{ bounded_rate('rejection_rate_of_decided') }},
        {{ bounded_rate('review_rate_of_decided') }},
        {{ bounded_rate('auto_acceptance_rate') }},
        {{ bounded_rate('known_bug_rate') }},
        {{ bounded_rate('severe_bug_rate') }},
        {{ rate('bug_severity_score', 'bug_count') }} as severity_score_per_bug
    from sampled
),

judged as (
    select
        *,
        {{ health() }} as health,
        {{ triage_health(['rejection_rate_of_decided']) }} as triage_health
    from rated
)

select
    *,
    {{ triage_health_because(['rejection_rate_of_decided']) }} as triage_health_because,
    {{ entity_key('tester_name') }} as tester_key
from judged
