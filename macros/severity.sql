{% macro bug_type(severity='severity') -%}
    case
        when {{ severity }} in ('low', 'high', 'critical') then 'functional'
        when {{ severity }} in ('visual', 'content', 'custom') then {{ severity }}
    end
{%- endmacro %}

{% macro severity_level(severity='severity') -%}
    case when {{ severity }} in ('low', 'high', 'critical') then {{ severity }} end
{%- endmacro %}

{% macro severity_weight(severity='severity') -%}
    cast(case {{ severity }}
        when 'critical' then {{ var('severity_weight_critical') }}
        when 'high' then {{ var('severity_weight_high') }}
        when 'low' then {{ var('severity_weight_low') }}
        else {{ var('severity_weight_other') }}
    end as {{ testio.weight_type() }})
{%- endmacro %}

{# Decimals are exact on every engine, unlike sums of floating-point fractions. The sum has room for 10^10
   bugs. #}
{% macro weight_type() -%}
    decimal(18, 4)
{%- endmacro %}

{% macro score_type() -%}
    decimal(28, 4)
{%- endmacro %}
