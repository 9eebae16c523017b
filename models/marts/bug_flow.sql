with bugs as (
    select * from {{ ref('fct_bugs') }}
    where
        is_counted
        and reported_on <> {{ placeholder_day() }}
),

dates as (
    select * from {{ ref('dim_dates') }}
    where not is_placeholder
),

events as (
    select
        customer_id,
        product_id,
        product_key,
        reported_on as date_day,
        1 as reported_count,
        0 as decided_count,
        case when decided_at is null and not is_open then 1 else 0 end as undated_count
    from bugs
    union all
    select
        customer_id,
        product_id,
        product_key,
        decided_on as date_day,
        0 as reported_count,
        1 as decided_count,
        0 as undated_count
    from bugs
    where decided_on is not null
),

weeks_of_events as (
    select
        events.customer_id,
        events.product_key,
        dates.week_start_on,
        sum(events.reported_count) as reported_count,
        sum(events.decided_count) as decided_count,
        sum(events.undated_count) as undated_count
    from events
    inner join dates on events.date_day = dates.date_day
    group by events.customer_id, events.product_key, dates.week_start_on
),

products as (
    select
        events.customer_id,
        events.product_id,
        events.product_key,
        min(dates.week_start_on) as first_week_on,
        max(dates.week_start_on) as last_week_on
    from events
    inner join dates on events.date_day = dates.date_day
    group by events.customer_id, events.product_id, events.product_key
),

weeks as (
    select distinct week_start_on
    from dates
),

-- Each week has a row, also if nothing happened in it, so that a chart needs no gaps filled.
every_week as (
    select
        products.customer_id,
        products.product_id,
        products.product_key,
        weeks.week_start_on,
        coalesce(weeks_of_events.reported_count, 0) as reported_count,
        coalesce(weeks_of_events.decided_count, 0) as decided_count,
        coalesce(weeks_of_events.undated_count, 0) as undated_count
    from products
    inner join weeks on weeks.week_start_on between products.first_week_on and products.last_week_on
    left join weeks_of_events
        on
            products.customer_id = weeks_of_events.customer_id
            and products.product_key = weeks_of_events.product_key
            and weeks.week_start_on = weeks_of_events.week_start_on
),

summed as (
    select
        customer_id,
        product_id,
        product_key,
        week_start_on,
        cast(reported_count as bigint) as reported_bug_count,
        cast(decided_count as bigint) as decided_bug_count,
        cast(undated_count as bigint) as undated_bug_count,
        cast(sum(reported_count) over so_far as bigint) as reported_so_far_count,
        cast(sum(decided_count) over so_far as bigint) as decided_so_far_count,
        cast(sum(reported_count - undated_count - decided_count) over so_far as bigint) as waiting_bug_count
    from every_week
    window so_far as (
        partition by customer_id, product_key
        order by week_start_on
        rows between unbounded preceding and current row
    )
)

select
    *,
    {{ entity_key(['product_id', 'week_start_on'], 'unknown') }} as product_week_key
from summed
