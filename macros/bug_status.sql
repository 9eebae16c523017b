{% macro bug_status(status='status', auto_accepted='auto_accepted') -%}
    case when {{ status }} = 'accepted' and {{ auto_accepted }} then 'auto_accepted' else {{ status }} end
{%- endmacro %}
