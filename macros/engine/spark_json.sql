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

{# Where Spark gives objects and arrays as text, it writes a character beyond 16 bits as two escapes. They
   become the character again when all is read as a text of JSON in which other backslashes are escaped. #}
{% macro spark_as_it_came(text) -%}
    {%- set pair = "r'(?<!\\\\)((?:\\\\\\\\)*+)\\\\u(D[89AB][0-9A-F]{2})\\\\u(D[C-F][0-9A-F]{2})'" -%}
    case
        when instr({{ text }}, r'\uD') > 0 and left({{ text }}, 1) in ('{', '[')
            then {{ testio.spark_from_json(
                "'[\"' || replace(replace(replace(regexp_replace(" ~ text ~ ", " ~ pair
                ~ ", concat('$1', chr(1), '$2', chr(1), '$3')), r'\\', r'\\\\'), '\"', r'\\\"'), chr(1), r'\\u') || '\"]'",
                'array<string>'
            ) }}[0]
        else {{ text }}
    end
{%- endmacro %}

{# The JSON that stands at a path: within `[*]` texts keep their quotes. #}
{% macro spark_json_at(document, path) -%}
    get_json_object('[' || {{ document }} || ']', '$[*].{{ path }}')
{%- endmacro %}
