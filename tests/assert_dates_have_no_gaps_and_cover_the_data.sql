{%- set days = [
    ('dim_tests', 'start_on'),
    ('dim_tests', 'end_on'),
    ('fct_bugs', 'reported_on'),
    ('fct_bugs', 'exported_on'),
    ('fct_deleted_bugs', 'reported_on'),
    ('fct_deleted_bugs', 'exported_on'),
    ('fct_executions', 'executed_on'),
    ('fct_test_case_results', 'executed_on'),
] %}
with dates as (
    select * from {{ ref('dim_dates') }}
),

calendar as (
    select date_day from dates
    where not is_placeholder
),

gaps as (
    select calendar.date_day
    from calendar
    left join calendar as next_days
        on cast({{ dbt.dateadd('day', 1, 'calendar.date_day') }} as date) = next_days.date_day
    where
        next_days.date_day is null
        and calendar.date_day not in (select max(all_days.date_day) from calendar as all_days)
),

needed as (
    {%- for model, column in days %}
    select {{ column }} as date_day
    from {{ ref(model) }}
    where {{ column }} is not null
    {{- '\n    union' if not loop.last }}
    {%- endfor %}
)

select date_day from gaps
union all
select needed.date_day
from needed
left join dates on needed.date_day = dates.date_day
where dates.date_day is null
