{% macro bug_counts() %}
    {{- return({
        'bug_count': 'true',
        'accepted_bug_count': "status = 'accepted'",
        'auto_accepted_bug_count': "status = 'auto_accepted'",
        'rejected_bug_count': "status = 'rejected'",
        'open_bug_count': "status = 'forwarded'",
        'known_bug_count': 'is_known',
        'unattributed_bug_count': 'test_feature_id is null',
        'critical_bug_count': "severity = 'critical'",
        'high_bug_count': "severity = 'high'",
        'low_bug_count': "severity = 'low'",
        'visual_bug_count': "severity = 'visual'",
        'content_bug_count': "severity = 'content'",
        'custom_bug_count': "severity = 'custom'",
    }) }}
{% endmacro %}

{% macro counted_bugs() -%}
    {%- for name, condition in bug_counts().items() -%}
    count(case when {{ condition }} then 1 end) as {{ name }},
    {% endfor -%}
    cast(sum(severity_weight) as {{ testio.score_type() }}) as bug_severity_score
{%- endmacro %}

{% macro bug_counts_of(relation) -%}
    {%- for name in bug_counts() -%}
    coalesce({{ relation }}.{{ name }}, 0) as {{ name }},
    {% endfor -%}
    cast(coalesce({{ relation }}.bug_severity_score, 0) as {{ testio.score_type() }}) as bug_severity_score
{%- endmacro %}
