{# What a hook runs of a model's table, in the transaction that puts the table in its place. #}
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
    {%- for role, customers in var('customer_roles').items() %}
    {%- if model.config.meta.published == 'by_customer' %}
    alter table {{ this }} enable row level security;
    create policy {{ adapter.quote(role) }} on {{ this }} for select to {{ adapter.quote(role) }}
    using ({{ 'true' if customers == 'all' else 'customer_id in (' ~ customers | map('int') | join(', ') ~ ')' }});
    {%- endif %}
    grant select on {{ this }} to {{ adapter.quote(role) }};
    {%- endfor %}
{%- endmacro %}

{# Once a run, as two at a time cannot change what holds for a schema. #}
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
    {%- if execute and flags.WHICH in ['run', 'build'] and var('customer_roles') %}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.config.meta.published %}
            {%- do schemas.append(node.schema) if node.schema not in schemas %}
        {%- endfor %}
    {%- endif %}
    {%- for schema in schemas if adapter.check_schema_exists(target.database, schema) %}
    grant usage on schema {{ schema }} to {{ var('customer_roles') | map('tojson') | join(', ') }};
    {%- endfor %}
{%- endmacro %}
