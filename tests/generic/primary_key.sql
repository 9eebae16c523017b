{% test primary_key(model, column_names) %}
select
    {{ column_names | join(', ') }},
    count(*) as row_count
from {{ model }}
group by {{ column_names | join(', ') }}
having
    count(*) > 1
    {%- for name in column_names %}
    or {{ name }} is null
    {%- endfor %}
{% endtest %}
