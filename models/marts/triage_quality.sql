with dates as (
    select * from {{ ref('dim_dates') }}
    where not is_placeholder
),

bugs as (
    select
        bugs.*,
        dates.month_start_on,
        coalesce(bugs.severity, 'unknown') as severity_name
    from {{ ref('fct_bugs') }} as bugs
    inner join dates on bugs.reported_on = dates.date_day
    where bugs.is_counted
),

totals as (
    {%- for period_type, severity in [('month', 'each'), ('month', 'all'), ('all', 'each'), ('all', 'all')] %}
    select
        customer_id,
        product_id,
        product_key,
        '{{ period_type }}' as period_type,
        {{ 'month_start_on' if period_type == 'month' else 'cast(null as date)' }} as period_start_on,
        {{ 'severity_name' if severity == 'each' else "'all'" }} as severity,
        count(*) as bug_count,
        count(case when is_decided then 1 end) as decided_bug_count,
        count(days_to_decision) as dated_decision_count,
        count(days_to_export) as exported_bug_count,
        {%- for figure in ['days_to_decision', 'days_to_export'] %}
        {%- for percent in [50, 75, 90] %}
        percentile_disc({{ percent / 100 }}) within group (order by {{ figure }})
            as {{ figure }}_p{{ percent }},
        {%- endfor %}
        {%- endfor %}
        count(case when reversal_count > 0 then 1 end) as reversed_bug_count
    from bugs
    group by
        customer_id,
        product_id,
        product_key
        {{- ',\n        month_start_on' if period_type == 'month' }}
        {{- ',\n        severity_name' if severity == 'each' }}
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
)

select
    *,
    {{ entity_key(['product_id', 'period_type', 'period_start_on', 'severity'], 'unknown') }} as triage_key
from totals
