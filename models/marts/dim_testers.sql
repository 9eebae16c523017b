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
)

select * from testers
