{%- set cases = [
    ("'2024-02-27'", "'2024-03-02'", 5), ("'2026-02-27'", "'2026-03-02'", 4),
    ("'2026-01-01'", "'2026-01-01'", 1), ("'2026-01-02'", "'2026-01-01'", 0), ('null', 'null', 0),
    ("'1999-12-31'", "'2101-01-01'", 36892),
] %}
with
{%- for first_day, last_day, expected in cases %}
case_{{ loop.index }} as (
    select
        cast({{ first_day }} as date) as first_day,
        cast({{ last_day }} as date) as last_day
){{ ',' if not loop.last }}
{% endfor %}

{%- for first_day, last_day, expected in cases %}
select
    {{ loop.index }} as case_number,
    {{ expected }} as expected,
    count(distinct given.date_day) as actual,
    count(*) as row_count
from (
    {{ days('case_' ~ loop.index) }}
) as given
having
    count(distinct given.date_day) <> {{ expected }}
    or count(*) <> {{ expected }}
    or min(given.date_day) <> cast({{ first_day }} as date)
    or max(given.date_day) <> cast({{ last_day }} as date)
{{- '\nunion all' if not loop.last }}
{%- endfor %}
