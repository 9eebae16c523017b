with bugs as (
    select * from {{ ref('fct_bugs') }}
),

tests as (
    select * from {{ ref('semantic_tests') }}
),

keyed as (
    select
        customer_id,
        bug_id,
        {{ entity_key('bug_id') }} as bug_key,
        {{ entity_key('test_id') }} as test_key,
        coalesce({{ entity_key('feature_id') }}, {{ entity_key("'unattributed'") }}) as feature_key,
        {{ entity_key("coalesce(tester_name, '')") }} as tester_key,
        {{ entity_key('tester_name') }} as author_key,
        coalesce(severity, 'unknown') as severity,
        coalesce(bug_type, 'unknown') as bug_type,
        coalesce(status, 'unknown') as status,
        case when status = 'rejected' then coalesce(rejection_reason, 'unknown') else 'not rejected' end
            as rejection_reason,
        case when is_known then 'yes' when not is_known then 'no' else 'unknown' end as known_bug,
        coalesce(unattributed_because, 'attributed') as attribution,
        days_to_first_triage
    from bugs
),

counted as (
    select
        keyed.bug_key,
        keyed.customer_id,
        keyed.bug_id,
        keyed.test_key,
        keyed.feature_key,
        keyed.tester_key,
        keyed.severity,
        keyed.bug_type,
        keyed.status,
        keyed.rejection_reason,
        keyed.known_bug,
        keyed.attribution,
        keyed.author_key,
        tests.is_counted,
        keyed.days_to_first_triage,
        tests.ended_on
    from keyed
    inner join tests on keyed.test_key = tests.test_key
)

select * from counted
