{%- set activities = [
    ('bugs', 'stg_bugs', 'bug_id', 'reported_at'),
    ('executions', 'stg_executions', 'execution_id', 'executed_at'),
    ('test_case_results', 'stg_test_case_results', 'test_case_result_id', 'executed_at'),
] -%}

with activities as (
    {%- for endpoint, model, id, moment in activities %}
    select
        customer_id,
        tester_name,
        '{{ endpoint }}' as endpoint,
        {{ id }} as record_id,
        {{ moment }} as active_at
    from {{ ref(model) }}
    where tester_name is not null
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
),

customers as (
    select * from {{ ref('int_customers') }}
),

deleted as (
    select * from {{ ref('int_deleted_records') }}
),

testers as (
    select
        activities.tester_name,
        activities.customer_id,
        count(case when activities.endpoint = 'bugs' then 1 end) > 0 as has_reported_bugs,
        count(case when activities.endpoint <> 'bugs' then 1 end) > 0 as has_executed,
        count(case when deleted.record_id is null then 1 end) = 0 as is_deleted,
        min(activities.active_at) as first_active_at,
        max(activities.active_at) as last_active_at
    from activities
    left join deleted
        on
            activities.customer_id = deleted.customer_id
            and activities.endpoint = deleted.endpoint
            and activities.record_id = deleted.record_id
    group by activities.tester_name, activities.customer_id
),

-- A report can name nobody. No name is empty, so that key is free.
members as (
    select
        {{ entity_key('tester_name') }} as tester_key,
        *,
        false as is_placeholder
    from testers
    union all
    select
        {{ entity_key("''") }} as tester_key,
        cast(null as {{ dbt.type_string() }}) as tester_name,
        customer_id,
        false as has_reported_bugs,
        false as has_executed,
        false as is_deleted,
        cast(null as timestamp) as first_active_at,
        cast(null as timestamp) as last_active_at,
        true as is_placeholder
    from customers
)

select * from members
