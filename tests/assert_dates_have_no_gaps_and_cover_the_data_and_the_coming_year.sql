with dates as (
    select * from {{ ref('dim_dates') }}
),

gaps as (
    select dates.date_day
    from dates
    left join dates as next_dates
        on cast({{ dbt.dateadd('day', 1, 'dates.date_day') }} as date) = next_dates.date_day
    where
        next_dates.date_day is null
        and dates.date_day not in (select max(all_dates.date_day) from dates as all_dates)
),

needed as (
    select cast(end_at as date) as date_day
    from {{ ref('dim_tests') }}
    where end_at is not null
    union
    select cast({{ dbt.dateadd('year', 1, 'end_at') }} as date) as date_day
    from {{ ref('dim_tests') }}
    where end_at is not null
    union
    select cast(reported_at as date) as date_day
    from {{ ref('fct_bugs') }}
    where reported_at is not null
)

select date_day from gaps
union all
select needed.date_day
from needed
left join dates on needed.date_day = dates.date_day
where dates.date_day is null
