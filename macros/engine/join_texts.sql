{% macro join_texts(text, order_by) -%}
    {{ adapter.dispatch('join_texts', 'testio')(text, order_by) }}
{%- endmacro %}

{% macro default__join_texts(text, order_by) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{% macro duckdb__join_texts(text, order_by) -%}
    string_agg({{ text }}, chr(10) order by {{ order_by }})
{%- endmacro %}

{% macro postgres__join_texts(text, order_by) -%}
    string_agg({{ text }}, chr(10) order by {{ order_by }})
{%- endmacro %}

{# Spark 3.5 has no listagg, and collect_list has no order. #}
{% macro spark__join_texts(text, order_by) -%}
    nullif(
        array_join(
            transform(
                array_sort(collect_list(named_struct('place', {{ order_by }}, 'text', {{ text }}))),
                joined -> joined.text
            ),
            chr(10)
        ),
        ''
    )
{%- endmacro %}
