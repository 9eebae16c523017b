{# A period that is not over has fewer tests, and more open bugs, than it will have. #}
{%- set changes = [
    'overall_acceptance_rate', 'active_acceptance_rate', 'auto_acceptance_rate', 'rejection_rate',
    'review_rate', 'known_bug_rate', 'acceptance_rate_of_decided', 'active_acceptance_rate_of_decided',
    'rejection_rate_of_decided', 'review_rate_of_decided', 'severe_bug_rate', 'bugs_per_test', 'test_count',
    'bug_count',
] %}
with tests as (
    select * from {{ ref('test_quality') }}
    where
        product_id is not null
        and {{ calendar_day('end_at') }} <> {{ placeholder_day() }}
),

bugs as (
    select * from {{ ref('fct_bugs') }}
),

as_of as (
    select * from {{ ref('int_as_of') }}
),

periods as (
    {%- for period, months in [('month', 1), ('quarter', 3), ('year', 12)] %}
    select
        *,
        '{{ period }}' as period_type,
        cast({{ dbt.date_trunc(period, 'end_at') }} as date) as period_start_on,
        cast({{ dbt.dateadd('month', -months, dbt.date_trunc(period, 'end_at')) }} as date)
            as previous_start_on,
        cast({{ dbt.dateadd('month', months, dbt.date_trunc(period, 'end_at')) }} as date) as next_start_on
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
        next_start_on,
        count(*) as test_count,
        count(case when is_finished then 1 end) as finished_test_count,
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
    group by product_id, customer_id, period_type, period_start_on, previous_start_on, next_start_on
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
        coalesce(authors_of_periods.bug_author_count, 0) as bug_author_count,
        coalesce(tests_of_periods.next_start_on <= cast(as_of.as_of_at as date), false) as is_period_over
    from tests_of_periods
    left join as_of on tests_of_periods.customer_id = as_of.customer_id
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
        {{ bounded_rate('severe_bug_rate') }}
    from counted
),

judged as (
    select
        *,
        {{ health() }} as health,
        {{ triage_health() }} as triage_health
    from rated
),

explained as (
    select
        *,
        {{ triage_health_because() }} as triage_health_because
    from judged
),

compared as (
    select
        explained.product_id,
        explained.customer_id,
        explained.period_type,
        explained.period_start_on,
        explained.is_period_over,
        explained.test_count,
        explained.finished_test_count,
        explained.bug_author_count,
        explained.bug_count,
        explained.accepted_bug_count,
        explained.auto_accepted_bug_count,
        explained.rejected_bug_count,
        explained.decided_bug_count,
        explained.open_bug_count,
        explained.known_bug_count,
        explained.unattributed_bug_count,
        explained.critical_bug_count,
        explained.high_bug_count,
        explained.low_bug_count,
        explained.visual_bug_count,
        explained.content_bug_count,
        explained.custom_bug_count,
        explained.bug_severity_score,
        explained.overall_acceptance_rate,
        explained.active_acceptance_rate,
        explained.rejection_rate,
        explained.review_rate,
        explained.acceptance_rate_of_decided,
        explained.acceptance_rate_of_decided_low,
        explained.acceptance_rate_of_decided_high,
        explained.active_acceptance_rate_of_decided,
        explained.active_acceptance_rate_of_decided_low,
        explained.active_acceptance_rate_of_decided_high,
        explained.rejection_rate_of_decided,
        explained.rejection_rate_of_decided_low,
        explained.rejection_rate_of_decided_high,
        explained.review_rate_of_decided,
        explained.review_rate_of_decided_low,
        explained.review_rate_of_decided_high,
        explained.auto_acceptance_rate,
        explained.auto_acceptance_rate_low,
        explained.auto_acceptance_rate_high,
        explained.known_bug_rate,
        explained.known_bug_rate_low,
        explained.known_bug_rate_high,
        explained.severe_bug_rate,
        explained.severe_bug_rate_low,
        explained.severe_bug_rate_high,
        explained.bugs_per_test,
        explained.bugs_per_test_low,
        explained.bugs_per_test_high,
        explained.health,
        explained.triage_health,
        explained.triage_health_because,
        previous.health as previous_health,
        previous.triage_health as previous_triage_health,
        {%- for figure in changes %}
        case when explained.is_period_over then explained.{{ figure }} - previous.{{ figure }} end
            as {{ figure }}_change,
        {%- endfor %}
        cast(
            case
                when explained.is_period_over then explained.bug_severity_score - previous.bug_severity_score
            end as {{ score_type() }}
        ) as bug_severity_score_change
    from explained
    left join explained as previous
        on
            explained.customer_id = previous.customer_id
            and explained.product_id = previous.product_id
            and explained.period_type = previous.period_type
            and explained.previous_start_on = previous.period_start_on
)

select
    *,
    {{ entity_key(['product_id', 'period_type', 'period_start_on']) }} as product_period_key,
    {{ entity_key('product_id') }} as product_key
from compared
