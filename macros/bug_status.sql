{# A bug's status. What the system accepted because nobody had is kept apart from what a person accepted. #}
{% macro bug_status(status='status', auto_accepted='auto_accepted') -%}
    case when {{ status }} = 'accepted' and {{ auto_accepted }} then 'auto_accepted' else {{ status }} end
{%- endmacro %}
