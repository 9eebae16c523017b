{%- set cases = [
    ('{"a": 1, "b": "two"}', 'a=1;b=two'), ('{}', ''), ('[1, 2]', ''), ('null', ''), ('"text"', ''),
    ('not json', ''), ('', ''), ('{"a": null}', 'a=nothing'), ('{"a.b": true, "$c": 1.5}', '$c=1.5;a.b=true'),
    ('{"": "empty", "ü 🙂": "ß"}', '=empty;ü 🙂=ß'), ('{"say \\"hi\\"": "\\\\"}', 'say "hi"=\\'),
    ('{"list": [1,"x"], "object": {"k":"v"}}', 'list=[1,"x"];object={"k":"v"}'), ('{"A": 1, "a": 2}', 'A=1;a=2'),
] %}
with cases as (
    {%- for document, expected in cases %}
    select
        {{ loop.index }} as case_number,
        {{ dbt.string_literal(dbt.escape_single_quotes(document)) }} as given,
        {{ dbt.string_literal(dbt.escape_single_quotes(expected)) }} as expected
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
),

exploded as (
    {{ explode_object('cases', 'given', keep=['case_number']) }}
),

pairs as (
    select
        case_number,
        entry_key || '=' || coalesce(entry_value, 'nothing') as pair
    from exploded
),

joined as (
    select
        case_number,
        {{ dbt.listagg('pair', "';'", 'order by pair') }} as actual
    from pairs
    group by case_number
)

select
    cases.given,
    cases.expected,
    joined.actual
from cases
left join joined on cases.case_number = joined.case_number
where cases.expected <> coalesce(joined.actual, '')
