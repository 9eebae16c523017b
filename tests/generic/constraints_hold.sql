{% test constraints_hold(model) %}
{{ config(enabled=not testio.enforces_constraints()) }}
{%- set keys, filled = [], [] %}
{%- if execute %}
    {%- set node = graph.nodes.values() | selectattr('resource_type', 'equalto', 'model')
        | selectattr('schema', 'equalto', model.schema) | selectattr('alias', 'equalto', model.identifier) | first %}
    {%- for constraint in node.constraints if constraint.type == 'primary_key' %}
        {%- do keys.extend(constraint.columns) %}
    {%- endfor %}
    {%- for column in node.columns.values() %}
        {%- do filled.append(column.name) if column.constraints | selectattr('type', 'equalto', 'not_null') | list %}
    {%- endfor %}
{%- endif %}
select 'null' as broken_constraint
from {{ model }}
where
    1 = 0
    {%- for name in filled %}
    or {{ name }} is null
    {%- endfor %}
{%- if keys %}
union all
select 'primary_key' as broken_constraint
from {{ model }}
group by {{ keys | join(', ') }}
having count(*) > 1
{%- endif %}
{% endtest %}
