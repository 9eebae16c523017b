with dates as (
    select * from {{ ref('dim_dates') }}
),

days as (
    select date_day from dates
    where not is_placeholder
)

select * from days
