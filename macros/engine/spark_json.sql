{# By default, Spark accepts more as JSON than other engines do. #}
{% macro spark_from_json(document, schema) -%}
    from_json({{ document }}, '{{ schema }}', map('allowSingleQuotes', 'false', 'allowNonNumericNumbers', 'false'))
{%- endmacro %}

{# Paths with the same first key share a struct. #}
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

{# In a list of texts, an object is its JSON, and a string can have the same characters. The document is
   checked for the actual type only if it has a string with the same first character: within `[*]`, strings
   keep their quotes. #}
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

{# When Spark returns objects and arrays as text, it writes a character beyond 16 bits as two escapes. To
   restore the character, the text is read as a JSON string in which all other backslashes are escaped. #}
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

{# Within `[*]`, strings keep their quotes. #}
{% macro spark_json_at(document, path) -%}
    get_json_object('[' || {{ document }} || ']', '$[*].{{ path }}')
{%- endmacro %}
