{% macro explode_object(relation, document, keep=[]) -%}
    {{ adapter.dispatch('explode_object', 'testio')(relation, document, keep) }}
{%- endmacro %}

{% macro default__explode_object(relation, document, keep) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{# A join with `json_each` would keep a copy of the document in memory per key: gigabytes for 50,000 keys. #}
{% macro duckdb__explode_object(relation, document, keep) %}
    select
        {%- for name in keep %}
        {{ name }},
        {%- endfor %}
        entry.key as entry_key,
        entry.value ->> '$' as entry_value
    from (
        select
            {%- for name in keep %}
            {{ name }},
            {%- endfor %}
            unnest(map_entries(try(from_json({{ document }}, '"MAP(VARCHAR, JSON)"')))) as entry
        from {{ relation }}
    ) as documents
{%- endmacro %}

{% macro postgres__explode_object(relation, document, keep) %}
    select
        {%- for name in keep %}
        documents.{{ name }},
        {%- endfor %}
        entries.entry_key,
        entries.entry_value #>> '{}' as entry_value
    from (
        select
            {%- for name in keep %}
            {{ name }},
            {%- endfor %}
            {{ testio.try_json(document, 'object') }} as document
        from {{ relation }}
    ) as documents
    cross join json_each(documents.document) as entries (entry_key, entry_value)
{%- endmacro %}

{% macro spark__explode_object(relation, document, keep) %}
    select
        {%- for name in keep %}
        {{ name }},
        {%- endfor %}
        entry_key,
        {{ testio.spark_as_it_came('entry_text') }} as entry_value
    from (
        select
            {%- for name in keep %}
            {{ name }},
            {%- endfor %}
            explode({{ testio.spark_from_json(document, 'map<string, string>') }}) as (entry_key, entry_text)
        from {{ relation }}
    ) as entries
{%- endmacro %}
