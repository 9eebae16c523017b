{# Engines derived from another one would use its implementations and give wrong results, as Redshift would
   with PostgreSQL's. dbt renders hooks whenever it parses the project, so this check always runs. #}
{% macro prepare() -%}
    {%- if adapter.type() not in testio.engines() %}
        {{- testio.unsupported() }}
    {%- endif %}
    {%- do testio.customer_roles() %}
    {{- adapter.dispatch('prepare', 'testio')() }}
{%- endmacro %}

{% macro default__prepare() -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{% macro duckdb__prepare() -%}
{%- endmacro %}

{% macro spark__prepare() -%}
{%- endmacro %}

{# PostgreSQL 15 cannot test whether a text is JSON. Half of a surrogate pair (not a character) and U+0000
   (not allowed in a text) pass as JSON and fail later. Reading the text as jsonb finds them, and it then
   counts as not JSON. PostgreSQL keeps the original text of JSON, so escapes of control characters are
   rewritten as other engines write them.

   The function is volatile so that it runs only once per row: the planner keeps the subquery that calls a
   volatile function separate. Otherwise, it copies the call to every place that uses the result. #}
{% macro postgres__prepare() -%}
    {%- set schema = api.Relation.create(database=target.database, schema=generate_schema_name('staging')) %}
    {%- if execute and flags.WHICH != 'compile' and not adapter.check_schema_exists(schema.database, schema.schema) %}
        {%- do adapter.create_schema(schema) %}
    {%- endif %}
    create or replace function {{ testio.try_json_function() }}(document text, kind text default null)
    returns json
    language plpgsql
    volatile
    as $$
    declare
        found json;
        code text;
    begin
        if strpos(document, '\u') > 0 then
            foreach code in array array['0b', '0e', '0f', '1a', '1b', '1c', '1d', '1e', '1f'] loop
                document := regexp_replace(document, '(?<!\\)((\\\\)*\\u00)' || code, '\1' || upper(code), 'g');
            end loop;
            perform cast(document as jsonb);
        end if;
        found := document;
        return case when kind is null or json_typeof(found) = kind then found end;
    exception when others then
        return null;
    end
    $$
{%- endmacro %}

{% macro withdraw() -%}
    {{ adapter.dispatch('withdraw', 'testio')() }}
{%- endmacro %}

{% macro default__withdraw() -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{% macro duckdb__withdraw() -%}
{%- endmacro %}

{% macro spark__withdraw() -%}
{%- endmacro %}

{% macro postgres__withdraw() -%}
    {%- do run_query('drop function if exists ' ~ testio.try_json_function()) %}
{%- endmacro %}

{% macro try_json_function() -%}
    {{ generate_schema_name('staging') }}.try_json
{%- endmacro %}

{% macro try_json(document, kind=none) -%}
    {{ testio.try_json_function() }}({{ document }}{{ ", '" ~ kind ~ "'" if kind }})
{%- endmacro %}
