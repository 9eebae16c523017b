{# Left to itself, Spark takes more for JSON than other engines do. #}
{% macro spark_from_json(document, schema) -%}
    from_json({{ document }}, '{{ schema }}', map('allowSingleQuotes', 'false', 'allowNonNumericNumbers', 'false'))
{%- endmacro %}

{# Paths that begin alike share a struct. #}
{% macro spark_schema(paths, type) -%}
    {%- set children = {} -%}
    {%- for path in paths -%}
        {%- set key, _, rest = path.partition('.') -%}
        {%- do children.setdefault(key, []).append(rest) if rest not in children.get(key, []) -%}
    {%- endfor -%}
    {%- for key, rests in children.items() -%}
        {%- if not loop.first %}, {% endif -%}
        `{{ key }}` {% if rests == [''] %}{{ type }}{% else %}struct<{{ testio.spark_schema(rests, type) }}>{% endif %}
    {%- endfor -%}
{%- endmacro %}

{# In a list of texts an object is its JSON, and so is a text that looks like one. Only where the document
   has a text that begins alike it is looked up what stands there: within `[*]` texts keep their quotes. #}
{% macro spark_is_json(text, place, document, keys=[]) -%}
    (
        {{ text }} rlike r'^([{\[]|-?[0-9]|(true|false)\z)'
        and (
            instr({{ document }}, '"' || left({{ text }}, 1)) = 0
            or get_json_object('[' || {{ document }} || ']', '$[*]{% for key in keys %}.{{ key }}{% endfor %}[' || {{ place }} || ']')
            not like '"%'
        )
    )
{%- endmacro %}
