{%- set times = [
    ('dim_tests', 'test_id', 'start'),
    ('dim_tests', 'test_id', 'end'),
    ('fct_bugs', 'bug_id', 'reported'),
    ('fct_bugs', 'bug_id', 'exported'),
    ('fct_deleted_bugs', 'bug_id', 'reported'),
    ('fct_deleted_bugs', 'bug_id', 'exported'),
    ('fct_executions', 'execution_id', 'executed'),
    ('fct_test_case_results', 'test_case_result_id', 'executed'),
] -%}

with out_of_range as (
    {%- for model, id, event in times %}
    select
        '{{ model }}' as model_name,
        '{{ event }}_at' as column_name,
        customer_id,
        {{ id }} as record_id,
        {{ event }}_at as moment
    from {{ ref(model) }}
    where {{ event }}_on = {{ placeholder_day() }}
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
)

select * from out_of_range
