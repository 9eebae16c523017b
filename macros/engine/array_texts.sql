{# The texts in an array of JSON, in order: of an object the first of its `keys` that has a value, of
   a text its characters, of anything else its JSON. What has no text is left out. Null for what is no array.

   The result is an engine's own list; `texts_as_json` and `joined_texts` make something of it. #}
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

{# A list of texts as a JSON array without white space. #}
{% macro texts_as_json(texts) -%}
    {{ adapter.dispatch('texts_as_json', 'testio')(texts) }}
{%- endmacro %}

{% macro default__texts_as_json(texts) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{% macro duckdb__texts_as_json(texts) -%}
    cast(to_json({{ texts }}) as varchar)
{%- endmacro %}

{# A list of texts as one text, one a line. #}
{% macro texts_as_lines(texts) -%}
    {{ adapter.dispatch('texts_as_lines', 'testio')(texts) }}
{%- endmacro %}

{% macro default__texts_as_lines(texts) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{% macro duckdb__texts_as_lines(texts) -%}
    array_to_string({{ texts }}, chr(10))
{%- endmacro %}
