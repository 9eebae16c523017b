{# Views are used because a table over a folder keeps its first list of files. #}
{% macro spark_views_of_parquet(folder) %}
    {%- if execute %}
        {%- for source in graph.sources.values() %}
            {%- do run_query('create schema if not exists ' ~ source.schema) if loop.first %}
            {%- do run_query(
                'create or replace view ' ~ source.relation_name
                ~ ' as select * from parquet.`' ~ folder ~ '/' ~ source.identifier ~ '`'
            ) %}
        {%- endfor %}
    {%- endif %}
{% endmacro %}
