{% macro explode(relation, document, path=none, keep=[]) -%}
    {{ adapter.dispatch('explode', 'testio')(relation, document, path, keep) }}
{%- endmacro %}

{% macro default__explode(relation, document, path, keep) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{% macro duckdb__explode(relation, document, path, keep) -%}
    {%- set array = "try(json_extract(" ~ document ~ ", '$.\"" ~ path | replace('.', '"."') ~ "\"'))" if path else document %}
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
            try(from_json({{ array }}, '["JSON"]')) as elements
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

{% macro spark__explode(relation, document, path, keep) -%}
    {%- set keys = path.split('.') if path else [] %}
    select
        {%- for name in keep %}
        {{ name }},
        {%- endfor %}
        cast(place + 1 as bigint) as element_number,
        case
            when element_text is null then null
            when {{ testio.spark_is_json('element_text', 'place', 'given_document', keys) }}
                then {{ testio.spark_as_it_came('element_text') }}
            else substring(to_json(array(element_text)), 2, length(to_json(array(element_text))) - 2)
        end as element
    from (
        select
            {%- for name in keep %}
            {{ name }},
            {%- endfor %}
            {{ document }} as given_document,
            posexplode(
                {{ testio.spark_from_json(document, testio.spark_schema([path], 'array<string>') if path else 'array<string>') }}
                {%- for key in keys %}.`{{ key }}`{% endfor %}
            ) as (place, element_text)
        from {{ relation }}
    ) as elements
{%- endmacro %}
