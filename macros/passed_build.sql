{# Each statement needs its own commit: looking up a table opens a transaction, and dbt rolls back
   transactions that its hooks leave open. #}
{% macro passed_build() %}
    {{- return(api.Relation.create(
        database=target.database or none,
        schema=generate_schema_name('audit'),
        identifier='passed_build'
    )) }}
{% endmacro %}

{% macro revoke_passed_build() %}
    {%- if execute and flags.WHICH not in ['test', 'compile'] %}
        {%- do testio.drop_passed_build() %}
    {%- endif %}
{% endmacro %}

{% macro record_passed_build(results) %}
    {%- if execute %}
        {%- set passed = results | selectattr('status', 'in', ['success', 'pass', 'warn']) | map(attribute='node.unique_id') | list %}
        {%- set not_passed = [] %}
        {%- for id, node in graph.nodes.items() if node.resource_type in ['model', 'seed', 'snapshot', 'test'] %}
            {%- do not_passed.append(id) if id not in passed and node.config.materialized != 'ephemeral' %}
        {%- endfor %}
        {%- if flags.WHICH == 'build' and not not_passed and not flags.EMPTY and not flags.SAMPLE %}
            {%- do testio.create_passed_build() %}
        {%- elif flags.WHICH == 'test' and results | selectattr('status', 'in', ['fail', 'error']) | list %}
            {%- do testio.drop_passed_build() %}
        {%- endif %}
    {%- endif %}
{% endmacro %}

{% macro drop_passed_build() %}
    {%- if load_relation(testio.passed_build()) is not none %}
        {%- call statement('drop_passed_build') %}
            drop table {{ testio.passed_build() }}
        {%- endcall %}
        {%- do adapter.commit() %}
    {%- endif %}
{% endmacro %}

{% macro create_passed_build() %}
    {%- set built = [] %}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.config.meta.published %}
        {%- do built.append(
            "select '" ~ node.schema ~ "' as schema_name, '" ~ node.alias ~ "' as table_name, '"
            ~ node.config.schema ~ "' as published_schema, '" ~ node.config.meta.published ~ "' as published"
        ) %}
    {%- endfor %}
    {%- call statement('create_passed_build') %}
        create table {{ testio.passed_build() }} as
        select built.*, loads.load_id, loads.load_count, {{ testio.to_utc(dbt.current_timestamp()) }} as built_at
        from ({{ built | join(' union all ') }}) as built
        cross join (
            select max(load_id) as load_id, count(*) as load_count
            from {{ source('testio_raw', '_dlt_loads') }}
            where status = 0
        ) as loads
    {%- endcall %}
    {%- do adapter.commit() %}
{% endmacro %}
