{%- set periods = ['month', 'quarter', 'year'] %}
with bugs as (
    select
        bugs.customer_id,
        bugs.test_feature_id,
        bugs.is_counted,
        tests.product_id,
        tests.end_on
    from {{ ref('fct_bugs') }} as bugs
    left join {{ ref('dim_tests') }} as tests
        on
            bugs.customer_id = tests.customer_id
            and bugs.test_id = tests.test_id
),

expected as (
    select
        customer_id,
        count(*) as all_bugs,
        count(test_feature_id) as attributed_bugs,
        count(case when is_counted then 1 end) as counted_bugs,
        count(case when is_counted then test_feature_id end) as counted_attributed_bugs,
        count(case
            when is_counted and product_id is not null and end_on <> {{ placeholder_day() }} then 1
        end) as dated_bugs
    from bugs
    group by customer_id
),

grains as (
    {%- for grain in ['bug_platforms', 'test_features', 'tests', 'features'] + periods %}
    select '{{ grain }}' as grain
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
),

counted as (
    select
        'bug_platforms' as grain,
        customer_id,
        count(distinct bug_id) as bug_count
    from {{ ref('bridge_bug_platforms') }}
    group by customer_id
    union all
    select
        'test_features' as grain,
        customer_id,
        sum(bug_count) as bug_count
    from {{ ref('fct_test_features') }}
    group by customer_id
    union all
    select
        'tests' as grain,
        customer_id,
        sum(bug_count) as bug_count
    from {{ ref('test_quality') }}
    group by customer_id
    union all
    select
        'features' as grain,
        customer_id,
        sum(bug_count) as bug_count
    from {{ ref('feature_quality') }}
    group by customer_id
    {%- for period in periods %}
    union all
    select
        '{{ period }}' as grain,
        customer_id,
        sum(bug_count) as bug_count
    from {{ ref('product_quality') }}
    where period_type = '{{ period }}'
    group by customer_id
    {%- endfor %}
)

select
    grains.grain,
    expected.customer_id,
    counted.bug_count,
    expected.all_bugs
from expected
cross join grains
left join counted
    on
        expected.customer_id = counted.customer_id
        and grains.grain = counted.grain
where coalesce(counted.bug_count, 0) <> case grains.grain
    when 'bug_platforms' then expected.all_bugs
    when 'test_features' then expected.attributed_bugs
    when 'tests' then expected.counted_bugs
    when 'features' then expected.counted_attributed_bugs
    else expected.dated_bugs
end
