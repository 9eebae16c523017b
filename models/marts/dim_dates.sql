with bounds as (
    select
        {{ first_day() }} as first_day,
        {{ last_day() }} as last_day
),

days as (
    {{ days('bounds') }}
),

all_days as (
    select
        date_day,
        false as is_placeholder
    from days
    union all
    select
        {{ placeholder_day() }} as date_day,
        true as is_placeholder
),

-- Engines may truncate a date in the session's time zone, where that day may not exist.
midnights as (
    select
        date_day,
        is_placeholder,
        cast(date_day as timestamp) as midnight
    from all_days
),

periods as (
    select
        date_day,
        is_placeholder,
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

-- In ISO 8601, a week belongs to the year of its Thursday.
weekdays as (
    select
        *,
        cast({{ dbt.dateadd('day', 3, 'week_start_on') }} as date) as thursday,
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
    cast(extract(year from thursday) as bigint) as iso_year_number,
    iso_week_number,
    weekday_number,
    weekday_number > 5 as is_weekend,
    is_placeholder
from weekdays
