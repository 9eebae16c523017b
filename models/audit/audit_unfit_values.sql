{%- set models = [
    ('stg_products', 'product_id'),
    ('stg_sections', 'product_id'),
    ('stg_features', 'feature_id'),
    ('stg_user_stories', 'user_story_id'),
    ('stg_test_environments', 'test_environment_id'),
    ('stg_test_templates', 'test_template_id'),
    ('stg_tests', 'test_id'),
    ('stg_test_requirements', 'test_id'),
    ('stg_test_requirement_browsers', 'test_id'),
    ('base_test_features', 'test_id'),
    ('stg_test_details', 'test_id'),
    ('stg_test_feature_results', 'test_id'),
    ('stg_user_story_results', 'test_id'),
    ('stg_bugs', 'bug_id'),
    ('stg_bug_comments', 'bug_id'),
    ('stg_bug_devices', 'bug_id'),
    ('stg_bug_browsers', 'bug_id'),
    ('stg_executions', 'execution_id'),
    ('stg_execution_devices', 'execution_id'),
    ('stg_test_case_tests', 'test_id'),
    ('stg_test_cases', 'test_id'),
    ('stg_test_case_results', 'test_case_result_id'),
    ('stg_reject_reasons', 'cast(null as bigint)'),
] -%}

with unfit as (
    {%- for model, id in models %}
    select
        '{{ model }}' as model_name,
        customer_id,
        {{ id }} as record_id,
        unfit_columns
    from {{ ref(model) }}
    where unfit_columns is not null
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
)

-- Elements of one record, such as the devices of a bug, can have the same unfit columns, hence distinct.
select distinct * from unfit
