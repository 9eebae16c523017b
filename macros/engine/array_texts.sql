{% macro array_texts(document, keys=[]) -%}
    {{ adapter.dispatch('array_texts', 'testio')(document, keys) }}
{%- endmacro %}

{% macro default__array_texts(document, keys) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{% macro duckdb__array_texts(document, keys) -%}
    {%- set elements = "try_cast(try_cast(" ~ document ~ " as json) as json[])" -%}
    list_filter(
        list_transform(
            {%- if keys %}
            {{ elements }},
            lambda story:
                case json_type(story)
                    when 'OBJECT'
                        then coalesce(
                            {%- for key in keys -%}
                            case when json_type(story, '$.{{ key }}') = 'VARCHAR' then {{ testio.named("(story ->> '" ~ key ~ "')") }} end
                            {{- ', ' }}
                            {%- endfor %}null
                        )
                    when 'ARRAY' then null
                    else {{ testio.named("(story ->> '$')") }}
                end
            {%- else %}
            case
                when not regexp_matches(substr({{ document }}, 2), '[\[{]') then {{ elements }}
                when len(list_filter({{ elements }}, lambda line: json_type(line) in ('OBJECT', 'ARRAY'))) = 0 then {{ elements }}
            end,
            lambda line: line ->> '$'
            {%- endif %}
        ),
        lambda given_text: given_text is not null
    )
{%- endmacro %}

{% macro postgres__array_texts(document, keys) -%}
    {%- set elements = "json_array_elements(" ~ testio.try_json(document, 'array') ~ ")" -%}
    case
        {%- if not keys %}
        when
            {{ document }} ~ '^.+[\[{]'
            and exists (
                select 1 from {{ elements }} as elements (element)
                where json_typeof(elements.element) in ('object', 'array')
            )
            then null
        {%- endif %}
        when {{ testio.try_json(document, 'array') }} is not null
            then
                array(
                    select texts.given_text
                    from (
                        select
                            elements.element_number,
                            {%- if keys %}
                            case json_typeof(elements.element)
                                when 'object'
                                    then coalesce(
                                        {%- for key in keys -%}
                                        case
                                            when json_typeof(elements.element -> '{{ key }}') = 'string'
                                                then {{ testio.named("(elements.element ->> '" ~ key ~ "')") }}
                                        end
                                        {{- ', ' }}
                                        {%- endfor %}null
                                    )
                                when 'array' then null
                                else {{ testio.named("(elements.element #>> '{}')") }}
                            end as given_text
                            {%- else %}
                            elements.element #>> '{}' as given_text
                            {%- endif %}
                        from {{ elements }} with ordinality as elements (element, element_number)
                    ) as texts
                    where texts.given_text is not null
                    order by texts.element_number
                )
    end
{%- endmacro %}

{# In Spark's list of texts, a string and JSON with the same characters look the same. #}
{% macro spark__array_texts(document, keys) -%}
    {%- set elements = testio.spark_from_json(document, 'array<string>') -%}
    {%- set is_nested = "(left(story, 1) in ('{', '[') and " ~ testio.spark_is_json('story', 'place', document) ~ ")" -%}
    {%- if keys -%}
    filter(
        transform(
            {{ elements }},
            (story, place) ->
                case
                    when {{ is_nested }}
                        then coalesce(
                            {%- for key in keys -%}
                            case
                                when {{ testio.spark_json_at('story', key) }} like '"%'
                                    then {{ testio.named(testio.spark_as_it_came("get_json_object(story, '$." ~ key ~ "')")) }}
                            end
                            {{- ', ' }}
                            {%- endfor %}null
                        )
                    else {{ testio.named('story') }}
                end
        ),
        given_text -> given_text is not null
    )
    {%- else -%}
    case
        when not coalesce(array_contains(transform({{ elements }}, (story, place) -> {{ is_nested }}), true), false)
            then filter({{ elements }}, given_text -> given_text is not null)
    end
    {%- endif %}
{%- endmacro %}

{% macro texts_as_json(texts) -%}
    {{ adapter.dispatch('texts_as_json', 'testio')(texts) }}
{%- endmacro %}

{% macro default__texts_as_json(texts) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{% macro duckdb__texts_as_json(texts) -%}
    cast(to_json({{ texts }}) as varchar)
{%- endmacro %}

{% macro postgres__texts_as_json(texts) -%}
    cast({{ testio.try_json('cast(array_to_json(' ~ texts ~ ') as text)') }} as text)
{%- endmacro %}

{% macro spark__texts_as_json(texts) -%}
    to_json({{ texts }})
{%- endmacro %}

{% macro texts_as_lines(texts) -%}
    {{ adapter.dispatch('texts_as_lines', 'testio')(texts) }}
{%- endmacro %}

{% macro default__texts_as_lines(texts) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{% macro duckdb__texts_as_lines(texts) -%}
    array_to_string({{ texts }}, chr(10))
{%- endmacro %}

{% macro postgres__texts_as_lines(texts) -%}
    array_to_string({{ texts }}, chr(10))
{%- endmacro %}

{% macro spark__texts_as_lines(texts) -%}
    array_join({{ texts }}, chr(10))
{%- endmacro %}
