{# PostgreSQL underestimates the number of rows after some joins and filters, and would then use nested loops
   (20,000 bugs: a minute instead of a second). Compiling queries as wide as these takes longer than running
   them. #}
{% macro tune() -%}
    {{ adapter.dispatch('tune', 'testio')() }}
{%- endmacro %}

{% macro default__tune() -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{% macro duckdb__tune() -%}
{%- endmacro %}

{% macro spark__tune() -%}
{%- endmacro %}

{% macro postgres__tune() -%}
    set enable_nestloop = off;
    set jit = off;
    set lock_timeout = '{{ var('lock_wait_seconds') | int }}s'
{%- endmacro %}
