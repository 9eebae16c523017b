{# Each step has its own subquery, because an engine may evaluate an expression once per occurrence. #}
{% macro project(relation, document, columns, keep=[]) -%}
    {%- set paths = columns | map(attribute=1) | list %}
    {%- set parents = testio.parents_of(paths) %}
    select
        {%- for name in keep %}
        {{ name }},
        {%- endfor %}
        {%- for name, path, type in columns %}
        {{ name }},
        {%- endfor %}
        nullif(concat_ws(
            ', ',
            case when left(given_document, 1) <> '{' then '{{ document }}' end
            {%- for name, path, type in columns -%}
            {%- set reasons = [] if type == 'json' else [name ~ '_as_text is not null'] %}
            {%- for parent in testio.parents_of([path]) %}
                {%- do reasons.append(testio.is_no_object('found_types', paths, parents.index(parent))) %}
            {%- endfor %}
            {%- if reasons -%}
            , case when {{ name }} is null and ({{ reasons | join(' or ') }}) then '{{ name }}' end
            {%- endif %}
            {%- endfor -%}
        ), '') as unfit_columns
    from (
        select
            {%- for name in keep %}
            {{ name }},
            {%- endfor %}
            {%- for name, path, type in columns %}
            {{ name }}_as_text,
            {{ testio.typed(name ~ '_as_text', type, paths, loop.index0) }} as {{ name }},
            {%- endfor %}
            found_types,
            given_document
        from (
            select
                {%- for name in keep %}
                {{ name }},
                {%- endfor %}
                {%- for name, path, type in columns %}
                {%- set text = testio.parsed_text('parsed', paths, loop.index0) %}
                {{ testio.named(text) if type in ('name', 'label') else text }} as {{ name }}_as_text,
                {%- endfor %}
                {{ testio.found_types('given_document', 'parsed', paths, parents) }} as found_types,
                given_document
            from (
                select
                    {%- for name in keep %}
                    {{ name }},
                    {%- endfor %}
                    {{ document }} as given_document,
                    {{ testio.parsed(document, paths, parents) }} as parsed
                from {{ relation }}
            ) as documents
        ) as texts
    ) as typed_texts
{%- endmacro %}

{% macro parents_of(paths) %}
    {%- set parents = [] %}
    {%- for path in paths %}
        {%- set keys = path.split('.') %}
        {%- for length in range(1, keys | length) %}
            {%- set parent = keys[:length] | join('.') %}
            {%- do parents.append(parent) if parent not in parents %}
        {%- endfor %}
    {%- endfor %}
    {{- return(parents) }}
{% endmacro %}

{% macro typed(text, type, paths, index) -%}
    {%- set at = [text, 'given_document', 'found_types', paths, index] %}
    {%- if type == 'bigint' -%} {{ testio.to_bigint(text) }}
    {%- elif type == 'boolean' -%} {{ testio.to_boolean(text) }}
    {%- elif type == 'timestamp' -%} {{ testio.to_timestamp(text) }}
    {%- elif type == 'array' -%} case when {{ testio.is_json(['array'], *at) }} then {{ text }} end
    {%- elif type == 'json' -%} {{ text }}
    {%- elif type in ('text', 'label') -%} case when not {{ testio.is_json(['object', 'array'], *at) }} then {{ text }} end
    {%- elif type == 'name' -%} case when {{ testio.is_string(*at) }} then {{ text }} end
    {%- elif type == 'lines' -%}
        case
            when {{ testio.is_json(['object', 'array'], *at) }} then {{ testio.texts_as_lines(testio.array_texts(text)) }}
            else {{ text }}
        end
    {%- else -%}
        {{ exceptions.raise_compiler_error("project knows no type '" ~ type ~ "'") }}
    {%- endif -%}
{%- endmacro %}

{% macro parsed(document, paths, parents) -%}
    {{ adapter.dispatch('parsed', 'testio')(document, paths, parents) }}
{%- endmacro %}

{% macro default__parsed(document, paths, parents) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{# Without a cast, the text is parsed only once. This is slow only for texts that are not JSON. #}
{% macro duckdb__parsed(document, paths, parents) -%}
    try(json_extract_string({{ document }}, {{ testio.duckdb_paths(paths) }}))
{%- endmacro %}

{# One pass finds all keys of an object; values below them are looked up in the small text at the first key.
   The same pass returns the types, so that no second one is needed. #}
{% macro postgres__parsed(document, paths, parents) -%}
    {%- set keys = [] %}
    {%- set texts = [] %}
    {%- set types = [] %}
    {%- for path in paths + parents %}
        {%- set steps = path.split('.') %}
        {%- set key = 'found."' ~ steps[0] ~ '"' %}
        {%- set below = "'{" ~ (steps[1:] | map('tojson') | join(',')) ~ "}'" %}
        {%- do keys.append('"' ~ steps[0] ~ '" json') if '"' ~ steps[0] ~ '" json' not in keys %}
        {%- do texts.append(key ~ ' #>> ' ~ below) if loop.index0 < paths | length %}
        {%- do types.append('json_typeof(' ~ key ~ (' #> ' ~ below if steps[1:] else '') ~ ')') %}
    {%- endfor %}
    (
        select array[{{ (texts + types) | join(', ') }}]
        from json_to_record({{ testio.try_json(document, 'object') }}) as found ({{ keys | join(', ') }})
    )
{%- endmacro %}

{% macro spark__parsed(document, paths, parents) -%}
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

{% macro found_types(document, parsed, paths, parents) -%}
    {{ adapter.dispatch('found_types', 'testio')(document, parsed, paths, parents) }}
{%- endmacro %}

{% macro default__found_types(document, parsed, paths, parents) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{# One more parse per document is faster than one per value whose type is in doubt. #}
{% macro duckdb__found_types(document, parsed, paths, parents) -%}
    try(json_type({{ document }}, {{ testio.duckdb_paths(paths + parents) }}))
{%- endmacro %}

{% macro postgres__found_types(document, parsed, paths, parents) -%}
    {{ parsed }}[{{ paths | length + 1 }}:]
{%- endmacro %}

{# Only the parents: few texts begin like JSON, so for these the document is read again. Checking each parent is
   slow, too. Documents have no blanks, so one regular expression can show that all parents are objects or null. #}
{% macro spark__found_types(document, parsed, paths, parents) -%}
    {%- set keys = [] %}
    {%- set values = [] %}
    {%- for parent in parents %}
        {%- do keys.append(parent.split('.')[-1]) %}
        {%- do values.append(testio.spark_json_at(document, parent)) %}
    {%- endfor -%}
    {%- if parents -%}
    case when {{ document }} rlike r'"({{ keys | unique | join('|') }})":[^{n]' then array({{ values | join(', ') }}) end
    {%- else -%}
    null
    {%- endif -%}
{%- endmacro %}

{% macro is_string(text, document, found_types, paths, index) -%}
    {{ adapter.dispatch('is_string', 'testio')(text, document, found_types, paths, index) }}
{%- endmacro %}

{% macro default__is_string(text, document, found_types, paths, index) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{% macro duckdb__is_string(text, document, found_types, paths, index) -%}
    {{ found_types }}[{{ index + 1 }}] = 'VARCHAR'
{%- endmacro %}

{% macro postgres__is_string(text, document, found_types, paths, index) -%}
    {{ found_types }}[{{ index + 1 }}] = 'string'
{%- endmacro %}

{% macro spark__is_string(text, document, found_types, paths, index) -%}
    case
        when {{ text }} rlike r'^([{\[]|-?[0-9]|(true|false)\z)' then {{ testio.spark_json_at(document, paths[index]) }} like '"%'
        else {{ text }} is not null
    end
{%- endmacro %}

{% macro is_json(types, text, document, found_types, paths, index) -%}
    {{ adapter.dispatch('is_json', 'testio')(types, text, document, found_types, paths, index) }}
{%- endmacro %}

{% macro default__is_json(types, text, document, found_types, paths, index) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{% macro duckdb__is_json(types, text, document, found_types, paths, index) -%}
    {{ found_types }}[{{ index + 1 }}] in ('{{ types | join("', '") | upper }}')
{%- endmacro %}

{% macro postgres__is_json(types, text, document, found_types, paths, index) -%}
    {{ found_types }}[{{ index + 1 }}] in ('{{ types | join("', '") }}')
{%- endmacro %}

{% macro spark__is_json(types, text, document, found_types, paths, index) -%}
    case
        when left({{ text }}, 1) in ({{ "'{', '['" if 'object' in types else "'['" }})
            then {{ testio.spark_json_at(document, paths[index]) }} not like '"%'
        else false
    end
{%- endmacro %}

{% macro is_no_object(found_types, paths, index) -%}
    {{ adapter.dispatch('is_no_object', 'testio')(found_types, paths, index) }}
{%- endmacro %}

{% macro default__is_no_object(found_types, paths, index) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{% macro duckdb__is_no_object(found_types, paths, index) -%}
    {{ found_types }}[{{ paths | length + index + 1 }}] not in ('OBJECT', 'NULL')
{%- endmacro %}

{% macro postgres__is_no_object(found_types, paths, index) -%}
    {{ found_types }}[{{ paths | length + index + 1 }}] not in ('object', 'null')
{%- endmacro %}

{% macro spark__is_no_object(found_types, paths, index) -%}
    left({{ found_types }}[{{ index }}], 1) not in ('{', 'n')
{%- endmacro %}

{% macro duckdb_paths(paths) -%}
    [
        {%- for path in paths -%}
        '$."{{ path | replace(".", '"."') }}"'{{ ', ' if not loop.last }}
        {%- endfor -%}
    ]
{%- endmacro %}
