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

{% macro postgres__explode(relation, document, path, keep) -%}
    {%- set keys = '{"' ~ path | replace('.', '","') ~ '"}' if path else '{}' %}
    select
        {%- for name in keep %}
        documents.{{ name }},
        {%- endfor %}
        elements.element_number,
        nullif(cast(elements.element as text), 'null') as element
    from (
        select
            {%- for name in keep %}
            {{ name }},
            {%- endfor %}
            {{ testio.try_json(document) }} #> '{{ keys }}' as elements
        from {{ relation }}
    ) as documents
    cross join
        json_array_elements(case when json_typeof(documents.elements) = 'array' then documents.elements end)
        with ordinality as elements (element, element_number)
{%- endmacro %}
