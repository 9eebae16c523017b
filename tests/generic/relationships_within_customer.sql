{% test relationships_within_customer(model, column_name, to, field) %}
select
    child.customer_id,
    child.{{ column_name }}
from {{ model }} as child
left join {{ to }} as parent
    on
        child.customer_id = parent.customer_id
        and child.{{ column_name }} = parent.{{ field }}
where
    child.{{ column_name }} is not null
    and parent.{{ field }} is null
{% endtest %}
