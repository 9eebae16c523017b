{# Bounds of 95 %: 1.96 standard deviations to each side. #}
{% macro interval_z() -%}
    1.959963984540054
{%- endmacro %}

{# The Wilson score interval of a share: E. B. Wilson, "Probable inference, the law of succession, and
   statistical inference", Journal of the American Statistical Association 22 (1927), and method 3 in
   R. G. Newcombe, "Two-sided confidence intervals for the single proportion: comparison of seven methods",
   Statistics in Medicine 17 (1998):

       (2k + z² ± z √(z² + 4k (n − k) / n)) / (2 (n + z²)), where k is the part and n the whole

   It is right for small samples, and for shares of 0 and 1, unlike the usual p ± z √(p (1 − p) / n). Rounding
   can put a bound on the wrong side of the share or of 0 and 1, so these limit it. #}
{% macro wilson_low(part, whole) -%}
    {{ testio.wilson_bound(part, whole, '-', 'least', 'greatest', 0) }}
{%- endmacro %}

{% macro wilson_high(part, whole) -%}
    {{ testio.wilson_bound(part, whole, '+', 'greatest', 'least', 1) }}
{%- endmacro %}

{% macro wilson_bound(part, whole, sign, nearer, farther, limit) -%}
    {%- set k = to_double('(' ~ part ~ ')') %}
    {%- set n = to_double('(' ~ whole ~ ')') %}
    {%- set z = to_double(testio.interval_z()) %}
    case
        when ({{ whole }}) > 0
            then {{ farther }}({{ to_double(limit) }}, {{ nearer }}(
                {{ k }} / {{ n }},
                (
                    2 * {{ k }} + {{ z }} * {{ z }}
                    {{ sign }} {{ z }} * sqrt({{ z }} * {{ z }} + 4 * {{ k }} * ({{ n }} - {{ k }}) / {{ n }})
                ) / (2 * ({{ n }} + {{ z }} * {{ z }}))
            ))
    end
{%- endmacro %}

{# Byar's approximation of the exact Poisson interval of a count, here per unit of exposure: N. E. Breslow and
   N. E. Day, "Statistical methods in cancer research", volume II (IARC 1987), page 69:

       low: k (1 − 1 / 9k − z / 3√k)³        high: m (1 − 1 / 9m + z / 3√m)³, where m = k + 1

   The exact one needs quantiles of the chi-squared distribution, which no engine has. The cube is multiplied
   out, because engines round powers differently. #}
{% macro byar_low(events, exposure) -%}
    case
        when ({{ exposure }}) > 0 and ({{ events }}) = 0 then {{ to_double(0) }}
        when ({{ exposure }}) > 0
            then {{ testio.byar_bound(events, '-') }} / {{ to_double('(' ~ exposure ~ ')') }}
    end
{%- endmacro %}

{% macro byar_high(events, exposure) -%}
    case
        when ({{ exposure }}) > 0
            then {{ testio.byar_bound(events ~ ' + 1', '+') }} / {{ to_double('(' ~ exposure ~ ')') }}
    end
{%- endmacro %}

{% macro byar_bound(events, sign) -%}
    {%- set k = to_double('(' ~ events ~ ')') %}
    {%- set z = to_double(testio.interval_z()) %}
    {%- set root = '(1 - 1 / (9 * ' ~ k ~ ') ' ~ sign ~ ' ' ~ z ~ ' / (3 * sqrt(' ~ k ~ ')))' %}
    {{- k }} * {{ root }} * {{ root }} * {{ root }}
{%- endmacro %}
