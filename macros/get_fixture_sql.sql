{# Overrides dbt's macro, which takes the columns of an input from its relation. On Spark, base models are
   ephemeral, so they have none: their columns are those of the raw table, and those that they add. #}
{% macro get_fixture_sql(rows, column_name_to_data_types) %}
    {%- set table = model.name | replace('base_', '') %}
    {%- set raw = adapter.get_relation(var('raw_database') or this.database, var('raw_schema'), table) if 'base' in model.fqn %}
    {%- if not raw %}
        {{- return(dbt.get_fixture_sql(rows, column_name_to_data_types)) }}
    {%- endif %}
    {%- set types = {'version_age': 'bigint', 'landed_at': 'timestamp'} %}
    {%- for column in adapter.get_columns_in_relation(raw) %}
        {%- do types.update({column.name: column.data_type}) %}
    {%- endfor %}
    {%- for row in rows or [{}] %}
    {%- set given = dbt.format_row(row, types) %}
    select
        {%- for name, type in types.items() %}
        {{ given.get(name, dbt.safe_cast('null', type)) }} as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    {{ 'limit 0' if not rows else 'union all' if not loop.last }}
    {%- endfor %}
{% endmacro %}
