{# PostgreSQL thinks that few rows are left after some joins and filters, and then would join thousands one by
   one (20,000 bugs: a minute instead of a second). Queries as wide as these take longer to compile than to run. #}
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
