{%- set cases = [
    ('{"a": [1, "two", null, {"three": 3}, [5]]}', 5), ('{"a": []}', 0), ('{"a": null}', 0), ('{}', 0),
    ('{"a": {"b": [1]}}', 0), ('{"a": "[1, 2]"}', 0), ('{"a": 3}', 0), ('not json', 0), ('', 0),
    ('{"a": ["\\"quoted\\"", "\\\\", "🙂", "a,b]"]}', 4), ('{"A": [1]}', 0), ('[1, 2]', 0),
] %}
with cases as (
    {%- for document, expected in cases %}
    select
        {{ loop.index }} as case_number,
        {{ dbt.string_literal(dbt.escape_single_quotes(document)) }} as given,
        {{ expected }} as expected
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
),

exploded as (
    {{ explode('cases', 'given', 'a', keep=['case_number']) }}
),

counted as (
    select
        case_number,
        count(*) as actual
    from exploded
    group by case_number
)

select
    cases.given,
    cases.expected,
    coalesce(counted.actual, 0) as actual
from cases
left join counted on cases.case_number = counted.case_number
where cases.expected <> coalesce(counted.actual, 0)
