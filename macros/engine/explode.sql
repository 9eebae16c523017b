{# One row for each element of the array at `path` (keys joined by dots; none for a document that is
   itself the array) of a column of JSON documents. A document without an array there gives no row.

   `keep` lists columns of the relation that come along; `element_number` counts from 1; `element` is
   the element's JSON, null for a JSON null. #}
{% macro explode(relation, document, path=none, keep=[]) -%}
    {{ adapter.dispatch('explode', 'testio')(relation, document, path, keep) }}
{%- endmacro %}

{% macro default__explode(relation, document, path, keep) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{% macro duckdb__explode(relation, document, path, keep) -%}
    {%- set json_path = '$."' ~ path | replace('.', '"."') ~ '"' if path else '$' %}
    select
        {%- for name in keep %}
        {{ name }},
        {%- endfor %}
        unnest(range(1, len(elements) + 1)) as element_number,
        cast(unnest(elements) as varchar) as element
    from (
        select
            {%- for name in keep %}
            {{ name }},
            {%- endfor %}
            try_cast(json_extract(try_cast({{ document }} as json), '{{ json_path }}') as json[])
                as elements
        from {{ relation }}
    ) as documents
{%- endmacro %}
