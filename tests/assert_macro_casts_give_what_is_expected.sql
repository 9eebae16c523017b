{%- set integers = [
    ('0', 0), ('42', 42), ('-7', -7), ('007', 7), ('-0', 0),
    ('9223372036854775807', 9223372036854775807), ('9223372036854775808', none),
    ('12345678901234567890', none), ('1_000', none), ('0x1F', none), ('1e2', none), ('3.7', none),
    ('+5', none), (' 7', none), ('7 ', none), ('', none), ('yes', none), ('true', none), ('1,000', none),
] %}
{%- set booleans = [
    ('true', true), ('false', false), ('True', none), ('yes', none), ('1', none), ('t', none),
    ('on', none), ('', none), (' true', none),
] %}
{%- set times = [
    ('2026-01-31T10:00:00Z', '2026-01-31 10:00:00'),
    ('2026-01-31T10:00:00+02:00', '2026-01-31 08:00:00'),
    ('2026-01-31T10:00:00-0530', '2026-01-31 15:30:00'),
    ('2026-01-31T10:00:00+14:00', '2026-01-30 20:00:00'),
    ('2026-01-31T10:00:00.250Z', '2026-01-31 10:00:00.250'),
    ('2026-01-31T10:00:00.123456Z', '2026-01-31 10:00:00.123456'),
    ('2024-02-29T00:00:00Z', '2024-02-29 00:00:00'),
    ('2026-02-29T00:00:00Z', none), ('2026-02-30T00:00:00Z', none), ('2026-13-01T00:00:00Z', none),
    ('2026-01-01T24:00:00Z', none), ('2026-01-01T23:59:60Z', none), ('2026-01-01', none),
    ('2026-01-01T10:00:00', none), ('2026-01-01 10:00:00Z', none), ('now', none), ('today', none),
    ('infinity', none), ('0000-01-01T00:00:00Z', none), ('99999-01-01T00:00:00Z', none),
    ('1767225600', none), ('', none),
] %}
with integers as (
    {%- for given, expected in integers %}
    select
        '{{ given }}' as given,
        cast({{ 'null' if expected is none else expected }} as bigint) as expected
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
),

booleans as (
    {%- for given, expected in booleans %}
    select
        '{{ given }}' as given,
        cast({{ 'null' if expected is none else expected }} as boolean) as expected
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
),

times as (
    {%- for given, expected in times %}
    select
        '{{ given }}' as given,
        cast({{ 'null' if expected is none else "'" ~ expected ~ "'" }} as timestamp) as expected
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
),

outcomes as (
    select
        'to_bigint' as macro_name,
        given,
        cast(expected as {{ dbt.type_string() }}) as expected,
        cast({{ to_bigint('given') }} as {{ dbt.type_string() }}) as actual
    from integers
    union all
    select
        'to_boolean' as macro_name,
        given,
        cast(expected as {{ dbt.type_string() }}) as expected,
        cast({{ to_boolean('given') }} as {{ dbt.type_string() }}) as actual
    from booleans
    union all
    select
        'to_timestamp' as macro_name,
        given,
        cast(expected as {{ dbt.type_string() }}) as expected,
        cast({{ to_timestamp('given') }} as {{ dbt.type_string() }}) as actual
    from times
)

select *
from outcomes
where coalesce(expected, 'null') <> coalesce(actual, 'null')
