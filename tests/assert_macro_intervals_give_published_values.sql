{#- Wilson: table I of Newcombe 1998 (method 3), and the interval of 8, 0 and all of 10. #}
{%- set shares = [
    (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611),
    (1, 29, 0.0061, 0.1718), (8, 10, 0.4902, 0.9433), (0, 10, 0, 0.2775), (10, 10, 0.7225, 1),
    (0, 0, none, none),
] %}
{#- Byar: the exact bounds of F. Garwood, "Fiducial limits for the Poisson distribution" (Biometrika, 1936),
    which the approximation misses by less than 0.03 events. #}
{%- set counts = [
    (0, 1, 0, 3.689), (1, 1, 0.025, 5.572), (5, 1, 1.623, 11.668), (10, 1, 4.795, 18.390),
    (20, 1, 12.217, 30.888), (100, 1, 81.364, 121.627), (10, 4, 1.199, 4.598), (10, 0, none, none),
    (0, 0, none, none),
] %}
with shares as (
    {%- for part, whole, low, high in shares %}
    select
        {{ part }} as part,
        {{ whole }} as whole,
        {{ to_double('null' if low is none else low) }} as expected_low,
        {{ to_double('null' if high is none else high) }} as expected_high
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
),

counts as (
    {%- for events, exposure, low, high in counts %}
    select
        {{ events }} as events,
        {{ exposure }} as exposure,
        {{ to_double('null' if low is none else low) }} as expected_low,
        {{ to_double('null' if high is none else high) }} as expected_high
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
),

bounds as (
    select
        'wilson' as formula,
        part as first_value,
        whole as second_value,
        0.0001 as tolerance,
        expected_low,
        expected_high,
        {{ wilson_low('part', 'whole') }} as low,
        {{ wilson_high('part', 'whole') }} as high
    from shares
    union all
    select
        'byar' as formula,
        events as first_value,
        exposure as second_value,
        0.03 as tolerance,
        expected_low,
        expected_high,
        {{ byar_low('events', 'exposure') }} as low,
        {{ byar_high('events', 'exposure') }} as high
    from counts
)

select *
from bounds
where
    (expected_low is null) <> (low is null)
    or (expected_high is null) <> (high is null)
    or abs(low - expected_low) > tolerance
    or abs(high - expected_high) > tolerance
    or (expected_low = 0 and low <> 0)
    or (expected_high = 1 and high <> 1)
