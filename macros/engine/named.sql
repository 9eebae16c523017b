{# All white space in Unicode, and the characters without width that copied names can contain. No engine's own
   class of white space includes all of them. #}
{% macro blanks(prefix, suffix='') -%}
    {%- for code in [
        '0009', '000A', '000B', '000C', '000D', '0020', '0085', '00A0', '1680', '2000', '2001', '2002', '2003', '2004',
        '2005', '2006', '2007', '2008', '2009', '200A', '200B', '2028', '2029', '202F', '205F', '2060', '3000', 'FEFF',
    ] -%}
    {{ prefix ~ code ~ suffix }}
    {%- endfor -%}
{%- endmacro %}

{% macro named(text) -%}
    {{ adapter.dispatch('named', 'testio')(text) }}
{%- endmacro %}

{% macro default__named(text) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{% macro duckdb__named(text) -%}
    case when regexp_matches({{ text }}, '[^{{ testio.blanks('\\x{', '}') }}]') then {{ text }} end
{%- endmacro %}

{% macro postgres__named(text) -%}
    case when {{ text }} ~ '[^{{ testio.blanks('\\u') }}]' then {{ text }} end
{%- endmacro %}

{% macro spark__named(text) -%}
    case when {{ text }} rlike r'[^{{ testio.blanks('\\u') }}]' then {{ text }} end
{%- endmacro %}
