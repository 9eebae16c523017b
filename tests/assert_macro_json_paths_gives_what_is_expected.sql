{%- set documents = {
    'types': '{"a": "x", "b": 1, "c": -1.5e3, "d": true, "e": null, "f": {}, "g": []}',
    'nested': '{"a": {"b": {"c": 1}}, "d": [{"e": 1}, {"e": "x"}, {"f": [[1], null]}, "text"]}',
    'elements of nothing': '{"a": [null], "b": [[], [null, null]]}',
    'same': '{"a": [1, 2, 3], "A": 1}',
    'data as keys': '{"m": {"12": {"a": 1}, "b-2": {"a": "x"}, "c d": {}, "a1b2c3d4e5": 1, "a1234": 1, "_": 1, "ä": 1, "c[0]": 1, "x.y": 1}}',
    'quotes': '{"say \\"hi\\".a": 1, "back\\\\": 2}',
    'no object': '[1, {"a": null}]',
    'no json': 'not json',
    'nothing': '',
} %}
{%- set expected = [
    ('types', 'a', 'text'), ('types', 'b', 'number'), ('types', 'c', 'number'), ('types', 'd', 'boolean'),
    ('types', 'e', 'null'), ('types', 'f', 'object'), ('types', 'g', 'array'),
    ('nested', 'a', 'object'), ('nested', 'a.b', 'object'), ('nested', 'a.b.c', 'number'),
    ('nested', 'd', 'array'), ('nested', 'd[]', 'object'), ('nested', 'd[]', 'text'),
    ('nested', 'd[].e', 'number'), ('nested', 'd[].e', 'text'), ('nested', 'd[].f', 'array'),
    ('nested', 'd[].f[]', 'array'), ('nested', 'd[].f[][]', 'number'),
    ('elements of nothing', 'a', 'array'), ('elements of nothing', 'b', 'array'),
    ('elements of nothing', 'b[]', 'array'),
    ('same', 'a', 'array'), ('same', 'a[]', 'number'), ('same', 'A', 'number'),
    ('data as keys', 'm', 'object'), ('data as keys', 'm.*', 'object'), ('data as keys', 'm.*', 'number'),
    ('data as keys', 'm.*.a', 'number'), ('data as keys', 'm.*.a', 'text'),
    ('data as keys', 'm.a1234', 'number'),
    ('quotes', '*', 'number'),
    ('no object', '[]', 'number'), ('no object', '[]', 'object'), ('no object', '[].a', 'null'),
] %}
with documents as (
    {%- for name, document in documents.items() %}
    select
        '{{ name }}' as document_name,
        {{ dbt.string_literal(dbt.escape_single_quotes(document)) }} as given
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
),

expected as (
    {%- for name, json_path, json_type in expected %}
    select
        '{{ name }}' as document_name,
        '{{ json_path }}' as json_path,
        '{{ json_type }}' as json_type
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
),

actual as (
    {{ json_paths('documents', 'given', keep=['document_name']) }}
)

select
    document_name,
    json_path,
    json_type,
    sum(is_expected) as expected_count,
    sum(is_actual) as actual_count
from (
    select
        document_name,
        json_path,
        json_type,
        1 as is_expected,
        0 as is_actual
    from expected
    union all
    select
        document_name,
        json_path,
        json_type,
        0 as is_expected,
        1 as is_actual
    from actual
) as both_sides
group by document_name, json_path, json_type
having
    sum(is_expected) <> 1
    or sum(is_actual) <> 1
