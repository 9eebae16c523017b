{# What control charts show: the count of events, and the bugs that they are a share of. Without bugs to be a
   share of, it is a count per test. #}
{% macro control_measures() %}
    {{- return({
        'rejection_rate_of_decided': ('rejected_bug_count', 'decided_bug_count'),
        'acceptance_rate_of_decided': ('accepted_bug_count + auto_accepted_bug_count', 'decided_bug_count'),
        'bugs_per_test': ('bug_count', none),
    }) }}
{% endmacro %}

{# Scores have the same variance at any rate: 1 / (4n + 2) for shares, and 1 / 4 for counts. So the limits of small
   samples and of rates near 0 or 1 are right, unlike p ± 3 √(p (1 − p) / n). F. J. Anscombe, "The transformation
   of Poisson, binomial and negative-binomial data", Biometrika 35 (1948). Scores are rounded, because engines
   differ in the last digits of arc sines, and add up doubles in any order. #}
{% macro control_score(events, whole) -%}
    {%- set count = to_double('(' ~ events ~ ')') ~ ' + 0.375' -%}
    {%- if whole -%}
        asin(sqrt(({{ count }}) / ({{ to_double('(' ~ whole ~ ')') }} + 0.75)))
    {%- else -%}
        sqrt({{ count }})
    {%- endif -%}
{%- endmacro %}

{# The value with that score, for a cycle with that sample. Rounded, because engines differ in the last digits. #}
{% macro control_value(score, sample, is_rate) -%}
    cast(greatest({{ to_double(0) }}, least(
            case when {{ is_rate }} then {{ to_double(1) }} else {{ to_double(1000000000000) }} end,
            case
                when {{ score }} <= 0 then 0
                when not {{ is_rate }} then {{ score }} * {{ score }} - 0.375
                when {{ score }} >= {{ testio.half_pi() }} then 1
                else (sin({{ score }}) * sin({{ score }}) * ({{ sample }} + 0.75) - 0.375) / {{ sample }}
            end
        )) as decimal(18, 6))
{%- endmacro %}

{% macro half_pi() -%}
    {{ to_double(1.5707963267948966) }}
{%- endmacro %}

{% macro control_type() -%}
    decimal(28, 10)
{%- endmacro %}

{# How many standard deviations a limit is from the centre: the quantile of Student's t distribution that has as
   much beyond it as 3 of the normal distribution, because the standard deviation is estimated from few cycles.
   No engine has it; this expansion is formula 26.7.5 in M. Abramowitz and I. A. Stegun, "Handbook of mathematical
   functions" (1964). #}
{% macro control_width(degrees) -%}
    {%- set v = to_double(degrees) -%}
    (3 + 7.5 / {{ v }} + 17.25 / ({{ v }} * {{ v }}) + 30.1875 / ({{ v }} * {{ v }} * {{ v }}))
{%- endmacro %}
