with tests as (
    select * from {{ ref('dim_tests') }}
    where is_counted
),

bugs as (
    select bugs.*
    from {{ ref('fct_bugs') }} as bugs
    inner join tests
        on
            bugs.customer_id = tests.customer_id
            and bugs.test_id = tests.test_id
    where bugs.tester_name is not null
),

counted as (
    select
        tester_name,
        customer_id,
        count(distinct test_id) as test_count,
        count(distinct product_id) as product_count,
        {{ counted_bugs() }}
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
        {{ rate('bug_count', 'test_count') }} as bugs_per_test,
        {{ bug_rates() }},
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
