{% macro array_texts(document, keys=[]) -%}
    {{ adapter.dispatch('array_texts', 'testio')(document, keys) }}
{%- endmacro %}

{% macro default__array_texts(document, keys) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{% macro duckdb__array_texts(document, keys) -%}
    list_filter(
        list_transform(
            try_cast(try_cast({{ document }} as json) as json[]),
            lambda story:
                case
                    when json_type(story) = 'OBJECT'
                        then coalesce(
                            {%- for key in keys %}nullif(story ->> '{{ key }}', ''), {% endfor %}null
                        )
                    else story ->> '$'
                end
        ),
        lambda given_text: given_text is not null
    )
{%- endmacro %}

{% macro postgres__array_texts(document, keys) -%}
    case
        when {{ testio.try_json(document, 'array') }} is not null
            then
                array(
                    select texts.given_text
                    from (
                        select
                            elements.element_number,
                            case
                                when json_typeof(elements.element) = 'object'
                                    then coalesce(
                                        {%- for key in keys %}nullif(elements.element ->> '{{ key }}', ''), {% endfor %}null
                                    )
                                else elements.element #>> '{}'
                            end as given_text
                        from
                            json_array_elements({{ testio.try_json(document, 'array') }})
                            with ordinality as elements (element, element_number)
                    ) as texts
                    where texts.given_text is not null
                    order by texts.element_number
                )
    end
{%- endmacro %}

{# A list of texts shows a text like it shows JSON of the same characters. #}
{% macro spark__array_texts(document, keys) -%}
    filter(
        transform(
            {{ testio.spark_from_json(document, 'array<string>') }},
            (story, place) ->
                case
                    when {{ testio.spark_is_json('story', 'place', document) }} and left(story, 1) = '{'
                        then coalesce(
                            {%- for key in keys %}nullif({{ testio.spark_as_it_came("get_json_object(story, '$." ~ key ~ "')") }}, ''), {% endfor %}null
                        )
                    else {{ testio.spark_as_it_came('story') }}
                end
        ),
        given_text -> given_text is not null
    )
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
