{% macro drop_models(confirm=false) %}
    {%- if execute %}
        {%- set schemas = [] %}
        {%- for node in graph.nodes.values() if node.resource_type in ['model', 'seed', 'snapshot'] and node.package_name == 'testio' %}
            {%- set relation = adapter.get_relation(node.database, node.schema, node.alias) %}
            {%- do schemas.append((node.database, node.schema)) if (node.database, node.schema) not in schemas %}
            {%- if relation is not none %}
                {%- do print(('Dropping ' if confirm else 'Would drop ') ~ relation) %}
                {%- do adapter.drop_relation(relation) if confirm %}
            {%- endif %}
        {%- endfor %}
        {%- if confirm %}
            {%- do adapter.drop_relation(testio.passed_build().incorporate(type='table')) %}
            {%- do testio.withdraw() %}
            {%- for database, schema in schemas %}
                {%- set relation = api.Relation.create(database=database, schema=schema) %}
                {%- if adapter.check_schema_exists(database, schema) and not dbt.list_relations_without_caching(relation) %}
                    {%- do print('Dropping schema ' ~ schema) %}
                    {%- do adapter.drop_schema(relation) %}
                {%- endif %}
            {%- endfor %}
        {%- else %}
            {%- do print("Nothing was dropped. To do it: dbt run-operation drop_models --args '{confirm: true}'") %}
        {%- endif %}
    {%- endif %}
{% endmacro %}
