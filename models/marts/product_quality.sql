{%- set rates = [
    'overall_acceptance_rate', 'active_acceptance_rate', 'auto_acceptance_rate', 'rejection_rate',
    'review_rate', 'known_bug_rate', 'bugs_per_test',
] -%}

with tests as (
    select * from {{ ref('dim_tests') }}
    where
        is_counted
        and product_id is not null
        and {{ calendar_day('end_at') }} <> {{ placeholder_day() }}
),

bugs as (
    select * from {{ ref('fct_bugs') }}
),

periods as (
    {%- for period, months in [('month', 1), ('quarter', 3), ('year', 12)] %}
    select
        customer_id,
        product_id,
        test_id,
        '{{ period }}' as period_type,
        cast({{ dbt.date_trunc(period, 'end_at') }} as date) as period_start_on,
        cast({{ dbt.dateadd('month', -months, dbt.date_trunc(period, 'end_at')) }} as date)
            as previous_start_on
    from tests
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
),

tests_of_periods as (
    select
        customer_id,
        product_id,
        period_type,
        period_start_on,
        previous_start_on,
        count(*) as test_count
    from periods
    group by customer_id, product_id, period_type, period_start_on, previous_start_on
),

bugs_of_periods as (
    select
        periods.customer_id,
        periods.product_id,
        periods.period_type,
        periods.period_start_on,
        count(distinct bugs.tester_name) as bug_author_count,
        {{ counted_bugs() }}
    from periods
    inner join bugs
        on
            periods.customer_id = bugs.customer_id
            and periods.test_id = bugs.test_id
    group by periods.customer_id, periods.product_id, periods.period_type, periods.period_start_on
),

counted as (
    select
        tests_of_periods.product_id,
        tests_of_periods.customer_id,
        tests_of_periods.period_type,
        tests_of_periods.period_start_on,
        tests_of_periods.previous_start_on,
        tests_of_periods.test_count,
        coalesce(bugs_of_periods.bug_author_count, 0) as bug_author_count,
        {{ bug_counts_of('bugs_of_periods') }}
    from tests_of_periods
    left join bugs_of_periods
        on
            tests_of_periods.customer_id = bugs_of_periods.customer_id
            and tests_of_periods.product_id = bugs_of_periods.product_id
            and tests_of_periods.period_type = bugs_of_periods.period_type
            and tests_of_periods.period_start_on = bugs_of_periods.period_start_on
),

rated as (
    select
        *,
        {{ rate('bug_count', 'test_count') }} as bugs_per_test,
        {{ bug_rates() }}
    from counted
),

judged as (
    select
        *,
        {{ health() }} as health
    from rated
),

compared as (
    select
        judged.product_id,
        judged.customer_id,
        judged.period_type,
        judged.period_start_on,
        judged.test_count,
        judged.bug_author_count,
        {%- for name in bug_counts() %}
        judged.{{ name }},
        {%- endfor %}
        judged.bug_severity_score,
        {%- for name in rates %}
        judged.{{ name }},
        {%- endfor %}
        judged.health,
        previous.health as previous_health,
        {%- for name in rates %}
        judged.{{ name }} - previous.{{ name }} as {{ name }}_change,
        {%- endfor %}
        judged.test_count - previous.test_count as test_count_change,
        judged.bug_count - previous.bug_count as bug_count_change,
        cast(judged.bug_severity_score - previous.bug_severity_score as {{ score_type() }})
            as bug_severity_score_change
    from judged
    left join judged as previous
        on
            judged.customer_id = previous.customer_id
            and judged.product_id = previous.product_id
            and judged.period_type = previous.period_type
            and judged.previous_start_on = previous.period_start_on
)

select
    *,
    {{ entity_key(['product_id', 'period_type', 'period_start_on']) }} as product_period_key,
    {{ entity_key('product_id') }} as product_key
from compared
