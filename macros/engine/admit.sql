{# The hook runs in the transaction that replaces the model's table, so the table always has its rights. #}
{% macro admit() -%}
    {{ adapter.dispatch('admit', 'testio')() }}
{%- endmacro %}

{% macro default__admit() -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{% macro duckdb__admit() -%}
{%- endmacro %}

{% macro spark__admit() -%}
{%- endmacro %}

{% macro postgres__admit() -%}
    {%- for role, condition in testio.customer_roles().items() %}
    {%- if model.config.meta.published == 'by_customer' %}
    alter table {{ this }} enable row level security;
    create policy {{ role }} on {{ this }} for select to {{ role }} using ({{ condition }});
    {%- endif %}
    grant select on {{ this }} to {{ role }};
    {%- endfor %}
{%- endmacro %}

{# This runs once per run, because two concurrent transactions cannot change the rights of the same schema. #}
{% macro admit_to_schemas() -%}
    {{ adapter.dispatch('admit_to_schemas', 'testio')() }}
{%- endmacro %}

{% macro default__admit_to_schemas() -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{% macro duckdb__admit_to_schemas() -%}
{%- endmacro %}

{% macro spark__admit_to_schemas() -%}
{%- endmacro %}

{% macro postgres__admit_to_schemas() -%}
    {%- set schemas = [] %}
    {%- if execute and flags.WHICH in ['run', 'build'] and testio.customer_roles() %}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.config.meta.published %}
            {%- do schemas.append(node.schema) if node.schema not in schemas %}
        {%- endfor %}
    {%- endif %}
    {%- for schema in schemas if adapter.check_schema_exists(target.database, schema) %}
    grant usage on schema {{ schema }} to {{ testio.customer_roles() | join(', ') }};
    {%- endfor %}
{%- endmacro %}

{# The check is strict because a wrong value could grant access: Jinja treats a text as a sequence of
   characters, so `'12'` would be customers 1 and 2, and it converts anything that is not a number to 0. #}
{% macro customer_roles() -%}
    {%- set conditions = {} %}
    {%- set given = var('customer_roles') %}
    {%- if given is not mapping %}
        {{- exceptions.raise_compiler_error(
            'customer_roles is ' ~ given | tojson ~ '; write roles, each with its customers, as in '
            ~ '{acme: [1, 2], analyst: all}, or {} for none'
        ) }}
    {%- endif %}
    {%- for role, customers in given.items() %}
        {%- set is_list = customers is sequence and customers is not string and customers is not mapping %}
        {%- set ids = customers | select('integer') | select('ge', 0) | list if is_list else [] %}
        {%- if role is not string or not role
            or customers != 'all' and (not ids or ids | length != customers | length) %}
            {{- exceptions.raise_compiler_error(
                'customer_roles: the role ' ~ role ~ ' has ' ~ customers | tojson ~ '; write a list of whole numbers, '
                ~ 'as in {acme: [1, 2]}, or all; leave out a role that is to see nothing'
            ) }}
        {%- endif %}
        {%- do conditions.update({
            '"' ~ role | replace('"', '""') ~ '"':
            'true' if customers == 'all' else 'customer_id in (' ~ ids | unique | join(', ') ~ ')'
        }) %}
    {%- endfor %}
    {{- return(conditions) }}
{%- endmacro %}
