with bugs as (
    select * from {{ ref('stg_bugs') }}
),

deleted as (
    select * from {{ ref('int_deleted_records') }}
    where endpoint = 'bugs'
),

tests as (
    select * from {{ ref('dim_tests') }}
),

joined as (
    select
        bugs.bug_id,
        bugs.customer_id,
        tests.product_id,
        tests.test_id,
        bugs.section_id,
        bugs.test_environment_id,
        bugs.reported_test_feature_id,
        bugs.reported_feature_id,
        bugs.external_id,
        bugs.tester_name,
        bugs.title,
        bugs.severity,
        {{ bug_type('bugs.severity') }} as bug_type,
        {{ severity_level('bugs.severity') }} as severity_level,
        bugs.status,
        bugs.is_known,
        bugs.is_auto_accepted,
        coalesce(tests.is_deleted, false) as is_test_deleted,
        {{ calendar_day('bugs.reported_at') }} as reported_on,
        {{ calendar_day('bugs.exported_at') }} as exported_on,
        bugs.reported_at,
        bugs.exported_at,
        deleted.last_seen_at,
        deleted.first_missed_at
    from bugs
    inner join deleted
        on
            bugs.customer_id = deleted.customer_id
            and bugs.bug_id = deleted.record_id
    left join tests
        on
            bugs.customer_id = tests.customer_id
            and bugs.test_id = tests.test_id
)

select
    *,
    {{ entity_key('bug_id') }} as bug_key,
    {{ entity_key('product_id', 'unknown') }} as product_key,
    {{ entity_key('test_id', 'unknown') }} as test_key,
    {{ entity_key('section_id', 'none') }} as section_key,
    {{ entity_key('test_environment_id', 'none') }} as test_environment_key,
    {{ entity_key('tester_name', '') }} as tester_key
from joined
