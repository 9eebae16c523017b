{% macro project(relation, document, columns, keep=[]) -%}
    {%- set paths = columns | map(attribute=1) | list %}
    select
        {%- for name in keep %}
        {{ name }},
        {%- endfor %}
        {%- for name, path, type in columns %}
        {{ name }},
        {%- endfor %}
        nullif(concat_ws(
            ', ', cast(null as {{ dbt.type_string() }})
            {%- for name, path, type in columns if type != 'text' -%}
            , case when {{ name }} is null and {{ name }}_as_text is not null then '{{ name }}' end
            {%- endfor -%}
        ), '') as unfit_columns
    from (
        select
            {%- for name in keep %}
            {{ name }},
            {%- endfor %}
            {%- for name, path, type in columns %}
            {%- set text = testio.parsed_text('parsed', paths, loop.index0) %}
            {%- if type == 'text' %}
            {{ text }} as {{ name }}
            {%- else %}
            {{ text }} as {{ name }}_as_text,
            {{ testio.typed(text, type) }} as {{ name }}
            {%- endif %}
            {{- ',' if not loop.last }}
            {%- endfor %}
        from (
            select
                {%- for name in keep %}
                {{ name }},
                {%- endfor %}
                {{ testio.parsed(document, paths) }} as parsed
            from {{ relation }}
        ) as documents
    ) as texts
{%- endmacro %}

{% macro typed(text, type) -%}
    {%- if type == 'bigint' -%} {{ testio.to_bigint(text) }}
    {%- elif type == 'boolean' -%} {{ testio.to_boolean(text) }}
    {%- elif type == 'timestamp' -%} {{ testio.to_timestamp(text) }}
    {%- elif type == 'array' -%} case when {{ text }} like '[%' then {{ text }} end
    {%- else -%}
        {{ exceptions.raise_compiler_error("project knows no type '" ~ type ~ "'") }}
    {%- endif -%}
{%- endmacro %}

{% macro parsed(document, paths) -%}
    {{ adapter.dispatch('parsed', 'testio')(document, paths) }}
{%- endmacro %}

{% macro default__parsed(document, paths) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{# Reading the text itself parses it once; a cast would do so before. Where it is no JSON, this is slow. #}
{% macro duckdb__parsed(document, paths) -%}
    try(json_extract_string(
        {{ document }},
        [
            {%- for path in paths -%}
            '$."{{ path | replace(".", '"."') }}"'{{ ', ' if not loop.last }}
            {%- endfor -%}
        ]
    ))
{%- endmacro %}

{# All keys of an object are found in one pass; what is below is looked up in the small text that stands at
   the first key. #}
{% macro postgres__parsed(document, paths) -%}
    {%- set keys = [] %}
    {%- set texts = [] %}
    {%- for path in paths %}
        {%- set steps = path.split('.') %}
        {%- do keys.append('"' ~ steps[0] ~ '" json') if '"' ~ steps[0] ~ '" json' not in keys %}
        {%- do texts.append('found."' ~ steps[0] ~ '" #>> \'{' ~ (steps[1:] | map('tojson') | join(',')) ~ '}\'') %}
    {%- endfor %}
    (
        select array[{{ texts | join(', ') }}]
        from json_to_record({{ testio.try_json(document, 'object') }}) as found ({{ keys | join(', ') }})
    )
{%- endmacro %}

{% macro spark__parsed(document, paths) -%}
    {{ testio.spark_from_json(document, testio.spark_schema(paths, 'string')) }}
{%- endmacro %}

{% macro parsed_text(parsed, paths, index) -%}
    {{ adapter.dispatch('parsed_text', 'testio')(parsed, paths, index) }}
{%- endmacro %}

{% macro default__parsed_text(parsed, paths, index) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{% macro duckdb__parsed_text(parsed, paths, index) -%}
    {{ parsed }}[{{ index + 1 }}]
{%- endmacro %}

{% macro postgres__parsed_text(parsed, paths, index) -%}
    {{ parsed }}[{{ index + 1 }}]
{%- endmacro %}

{% macro spark__parsed_text(parsed, paths, index) -%}
    {{ testio.spark_as_it_came(parsed ~ '.`' ~ paths[index] | replace('.', '`.`') ~ '`') }}
{%- endmacro %}
