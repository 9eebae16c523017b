{%- set moments = [
    ('dim_tests', 'start_at'),
    ('dim_tests', 'end_at'),
    ('fct_bugs', 'reported_at'),
    ('fct_bugs', 'exported_at'),
    ('fct_deleted_bugs', 'reported_at'),
    ('fct_executions', 'executed_at'),
    ('fct_test_case_results', 'executed_at'),
    ('fct_bug_status_changes', 'first_seen_after_at'),
] -%}

with moments as (
    {%- for model, column in moments %}
    select
        min({{ column }}) as first_moment,
        max({{ column }}) as last_moment
    from {{ ref(model) }}
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
),

years as (
    select
        {{ dbt.date_trunc('year', 'min(first_moment)') }} as first_year,
        {{ dbt.date_trunc('year', 'max(last_moment)') }} as last_year
    from moments
),

bounds as (
    select
        cast(first_year as date) as first_day,
        cast(
            {{ dbt.dateadd('day', -1, dbt.dateadd('year', 2, 'last_year')) }} as date
        ) as last_day
    from years
),

days as (
    {{ days('bounds') }}
),

-- A date itself may be truncated in the time zone of the session, which may not have that day.
midnights as (
    select
        date_day,
        cast(date_day as timestamp) as midnight
    from days
),

periods as (
    select
        date_day,
        cast({{ dbt.date_trunc('week', 'midnight') }} as date) as week_start_on,
        cast({{ dbt.date_trunc('month', 'midnight') }} as date) as month_start_on,
        cast({{ dbt.date_trunc('quarter', 'midnight') }} as date) as quarter_start_on,
        cast({{ dbt.date_trunc('year', 'midnight') }} as date) as year_start_on,
        cast(extract(year from date_day) as bigint) as year_number,
        cast(extract(quarter from date_day) as bigint) as quarter_number,
        cast(extract(month from date_day) as bigint) as month_number,
        cast(extract(week from date_day) as bigint) as iso_week_number
    from midnights
),

weekdays as (
    select
        *,
        cast(1 + {{ dbt.datediff('week_start_on', 'date_day', 'day') }} as bigint) as weekday_number  -- noqa: LT05
    from periods
)

select
    date_day,
    week_start_on,
    month_start_on,
    quarter_start_on,
    year_start_on,
    year_number,
    quarter_number,
    month_number,
    iso_week_number,
    weekday_number,
    weekday_number > 5 as is_weekend
from weekdays
