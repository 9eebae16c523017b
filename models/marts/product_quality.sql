with tests as (
    select * from {{ ref('test_quality') }}
    where
        product_id is not null
        and {{ calendar_day('end_at') }} <> {{ placeholder_day() }}
),

bugs as (
    select * from {{ ref('fct_bugs') }}
),

periods as (
    {%- for period, months in [('month', 1), ('quarter', 3), ('year', 12)] %}
    select
        *,
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
        product_id,
        customer_id,
        period_type,
        period_start_on,
        previous_start_on,
        count(*) as test_count,
        cast(sum(bug_count) as bigint) as bug_count,
        cast(sum(accepted_bug_count) as bigint) as accepted_bug_count,
        cast(sum(auto_accepted_bug_count) as bigint) as auto_accepted_bug_count,
        cast(sum(rejected_bug_count) as bigint) as rejected_bug_count,
        cast(sum(open_bug_count) as bigint) as open_bug_count,
        cast(sum(known_bug_count) as bigint) as known_bug_count,
        cast(sum(unattributed_bug_count) as bigint) as unattributed_bug_count,
        cast(sum(critical_bug_count) as bigint) as critical_bug_count,
        cast(sum(high_bug_count) as bigint) as high_bug_count,
        cast(sum(low_bug_count) as bigint) as low_bug_count,
        cast(sum(visual_bug_count) as bigint) as visual_bug_count,
        cast(sum(content_bug_count) as bigint) as content_bug_count,
        cast(sum(custom_bug_count) as bigint) as custom_bug_count,
        cast(sum(bug_severity_score) as {{ score_type() }}) as bug_severity_score
    from periods
    group by product_id, customer_id, period_type, period_start_on, previous_start_on
),

authors_of_periods as (
    select
        periods.product_id,
        periods.customer_id,
        periods.period_type,
        periods.period_start_on,
        count(distinct bugs.tester_name) as bug_author_count
    from periods
    inner join bugs
        on
            periods.customer_id = bugs.customer_id
            and periods.test_id = bugs.test_id
    group by periods.product_id, periods.customer_id, periods.period_type, periods.period_start_on
),

counted as (
    select
        tests_of_periods.*,
        coalesce(authors_of_periods.bug_author_count, 0) as bug_author_count
    from tests_of_periods
    left join authors_of_periods
        on
            tests_of_periods.customer_id = authors_of_periods.customer_id
            and tests_of_periods.product_id = authors_of_periods.product_id
            and tests_of_periods.period_type = authors_of_periods.period_type
            and tests_of_periods.period_start_on = authors_of_periods.period_start_on
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
        {{ known_bug_rate() }} as known_bug_rate
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
        judged.bug_count,
        judged.accepted_bug_count,
        judged.auto_accepted_bug_count,
        judged.rejected_bug_count,
        judged.open_bug_count,
        judged.known_bug_count,
        judged.unattributed_bug_count,
        judged.critical_bug_count,
        judged.high_bug_count,
        judged.low_bug_count,
        judged.visual_bug_count,
        judged.content_bug_count,
        judged.custom_bug_count,
        judged.bug_severity_score,
        judged.overall_acceptance_rate,
        judged.active_acceptance_rate,
        judged.auto_acceptance_rate,
        judged.rejection_rate,
        judged.review_rate,
        judged.known_bug_rate,
        judged.bugs_per_test,
        judged.health,
        previous.health as previous_health,
        judged.overall_acceptance_rate - previous.overall_acceptance_rate as overall_acceptance_rate_change,
        judged.active_acceptance_rate - previous.active_acceptance_rate as active_acceptance_rate_change,
        judged.auto_acceptance_rate - previous.auto_acceptance_rate as auto_acceptance_rate_change,
        judged.rejection_rate - previous.rejection_rate as rejection_rate_change,
        judged.review_rate - previous.review_rate as review_rate_change,
        judged.known_bug_rate - previous.known_bug_rate as known_bug_rate_change,
        judged.bugs_per_test - previous.bugs_per_test as bugs_per_test_change,
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
