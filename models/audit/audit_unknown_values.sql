{%- set execution_results = ['not_tested', 'passed', 'failed', 'blocked'] -%}
{%- set fields = [
    ('bug.status', 'stg_bug_versions', 'bug_id', 'status', [
        'accepted', 'auto_accepted', 'rejected', 'forwarded',
    ]),
    ('bug.severity', 'stg_bug_versions', 'bug_id', 'severity', [
        'low', 'high', 'critical', 'visual', 'content', 'custom',
    ]),
    ('test.status', 'stg_test_versions', 'test_id', 'status', [
        'initialized', 'customer_finalized', 'waiting', 'pending', 'running', 'locked', 'completed',
        'archived', 'cancelled',
    ]),
    ('test.testing_type', 'stg_test_versions', 'test_id', 'testing_type', [
        'coverage', 'focused', 'rapid', 'usability', 'custom', 'test_case',
    ]),
    ('execution.status', 'stg_executions', 'execution_id', 'status', [
        'pending', 'passed', 'failed', 'blocked', 'cancelled',
    ]),
    ('test_feature.execution_status', 'stg_test_feature_results', 'test_id', 'execution_status',
        execution_results),
    ('user_story.execution_status', 'stg_user_story_results', 'test_id', 'execution_status',
        execution_results),
] -%}

with unknown as (
    {%- for field, model, id, column, known in fields %}
    select
        customer_id,
        '{{ field }}' as field,
        {{ column }} as field_value,
        count(distinct {{ id }}) as record_count,
        min(loaded_at) as first_seen_at,
        max(loaded_at) as last_seen_at
    from {{ ref(model) }}
    where
        {{ column }} is null
        or {{ column }} not in (
            {%- for value in known %}
            '{{ value }}'{{ ',' if not loop.last }}
            {%- endfor %}
        )
    group by customer_id, {{ column }}
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
)

select * from unknown
