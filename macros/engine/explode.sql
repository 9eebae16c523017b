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
