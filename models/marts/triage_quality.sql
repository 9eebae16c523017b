with dates as (
    select * from {{ ref('dim_dates') }}
    where not is_placeholder
),

bugs as (
    select
        bugs.*,
        coalesce(bugs.severity, 'unknown') as known_severity,
        dates.month_start_on
    from {{ ref('fct_bugs') }} as bugs
    inner join dates on bugs.reported_on = dates.date_day
    where bugs.is_counted
),

grouped as (
    select
        customer_id,
        product_id,
        product_key,
        case when grouping(month_start_on) = 1 then 'all' else 'month' end as period_type,
        month_start_on as period_start_on,
        case when grouping(known_severity) = 1 then 'all' else known_severity end as severity,
        count(*) as bug_count,
        count(case when is_accepted or is_auto_accepted or is_rejected then 1 end) as decided_bug_count,
        count(days_to_decision) as dated_decision_count,
        count(days_to_export) as exported_bug_count,
        count(case when reversal_count > 0 then 1 end) as reversed_bug_count,
        {%- for figure in ['days_to_decision', 'days_to_export'] %}
        {%- for percent in [50, 75, 90] %}
        percentile_disc({{ percent / 100 }}) within group (order by {{ figure }}) as {{ figure }}_p{{ percent }}
        {{- ',' if not (loop.last and figure == 'days_to_export') }}
        {%- endfor %}
        {%- endfor %}
    from bugs
    group by grouping sets (
        (customer_id, product_id, product_key, month_start_on, known_severity),
        (customer_id, product_id, product_key, month_start_on),
        (customer_id, product_id, product_key, known_severity),
        (customer_id, product_id, product_key)
    )
)

select
    *,
    {{ entity_key(["coalesce(cast(product_id as " ~ dbt.type_string() ~ "), 'unknown')", 'period_type', "coalesce(cast(period_start_on as " ~ dbt.type_string() ~ "), 'all')", 'severity']) }}
        as triage_key
from grouped
