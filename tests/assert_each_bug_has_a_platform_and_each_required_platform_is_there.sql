select
    bugs.customer_id,
    bugs.bug_id as record_id
from {{ ref('fct_bugs') }} as bugs
left join {{ ref('bridge_bug_platforms') }} as platforms
    on
        bugs.customer_id = platforms.customer_id
        and bugs.bug_id = platforms.bug_id
group by bugs.customer_id, bugs.bug_id
having count(platforms.bug_id) = 0
union all
select
    tests.customer_id,
    tests.test_id as record_id
from {{ ref('dim_tests') }} as tests
left join {{ ref('bridge_test_platforms') }} as platforms
    on
        tests.customer_id = platforms.customer_id
        and tests.test_id = platforms.test_id
group by tests.customer_id, tests.test_id
having count(distinct platforms.requirement_number) <> max(tests.requirement_count)
