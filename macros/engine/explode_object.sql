{% macro explode_object(relation, document, keep=[]) -%}
    {{ adapter.dispatch('explode_object', 'testio')(relation, document, keep) }}
{%- endmacro %}

{% macro default__explode_object(relation, document, keep) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{% macro duckdb__explode_object(relation, document, keep) %}
    select
        {%- for name in keep %}
        documents.{{ name }},
        {%- endfor %}
        entries.key as entry_key,
        entries.value ->> '$' as entry_value
    from (
        select
            {%- for name in keep %}
            {{ name }},
            {%- endfor %}
            try_cast({{ document }} as json) as document
        from {{ relation }}
    ) as documents,
        json_each(case when json_type(documents.document) = 'OBJECT' then documents.document end) as entries
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
