{% macro json_paths(relation, document, keep=[], extremes={}) -%}
    {%- set columns = keep | join(', ') ~ (', ' if keep) %}
    select
        {{ columns }}
        {%- for name in extremes %}
        {{ name }},
        {%- endfor %}
        json_path,
        json_type
    from (
        select
            *,
            count(case when json_type <> 'null' then 1 end) over (partition by {{ columns }} json_path) as type_count
        from (
            {{ testio.all_json_paths(relation, document, keep, extremes) }}
        ) as found
    ) as counted
    where
        json_type <> 'null'
        or json_path not like '%]%'
        or (type_count = 0 and json_path not like '%]')
{%- endmacro %}

{% macro all_json_paths(relation, document, keep=[], extremes={}) -%}
    {{ adapter.dispatch('all_json_paths', 'testio')(relation, document, keep, extremes) }}
{%- endmacro %}

{% macro default__all_json_paths(relation, document, keep, extremes) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{# Documents with the same structure have the same paths, and there are far fewer structures than documents. A
   structure is JSON itself, with the name of a type instead of each value. It has the type 'JSON' for values
   of several types, or an object without keys. Such a document is split, level by level, until each piece has
   a structure. So is a document with 128 brackets, even within its texts: it could be nested more than 128
   levels deep, and after such a document DuckDB has to be restarted. Structures share most of their entries,
   so each entry is processed only once.

   `fullkey` starts with `$` and puts keys that do not look like names in quotes. There can be any number of
   such keys, so they are generalised first. #}
{% macro duckdb__all_json_paths(relation, document, keep, extremes) -%}
    {%- set given = (keep + extremes | list) | join(', ') ~ (', ' if keep or extremes) %}
    {%- set found = keep | join(', ') ~ (', ' if keep) ~ testio.extreme_values(extremes) %}
    {%- set path = namespace(sql='place') %}
    {%- for pattern, general in [
        ('[.][A-Za-z_]*([0-9][A-Za-z_]*){5,}', '.*'),
        ('\\[[0-9]+\\]', '[]'),
        ('^[$][.]?', ''),
    ] %}
        {%- set path.sql = "regexp_replace(" ~ path.sql ~ ", '" ~ pattern ~ "', '" ~ general ~ "', 'g')" %}
    {%- endfor %}
    {%- set children %}
            (
                select
                    {{ given }}
                    concat(place, substr(elements.fullkey, 2)) as place,
                    cast(elements.value as varchar) as child
                from (
                    select
                        {{ given }}
                        place,
                        {{ testio.duckdb_elements('json_each(try_cast(unstructured as json))', ['fullkey', 'value']) }}
                    from pieces
                ) as taken_apart
                where elements.fullkey <> '$' -- a scalar gives only itself
            ) as children
    {%- endset %}
    with recursive structures as materialized (
        select
            {{ found }}
            '$' as place,
            structure,
            unstructured
        from (
            {{ testio.with_structure(relation, document) }}
        ) as documents
        group by all
    ),

    pieces as (
        select *
        from structures
        union all
        select
            {{ given }}
            place,
            structure,
            unstructured
        from (
            {{ testio.with_structure(children, 'child') }}
        ) as documents
    ),

    entries as (
        select
            {{ found }}
            concat(place, substr(elements.fullkey, 2)) as place,
            elements.value as structure
        from (
            select
                {{ given }}
                place,
                {{ testio.duckdb_elements('json_each(structure)', ['fullkey', 'value']) }}
            from pieces
        ) as taken_apart
        group by all
    ),

    types as (
        select
            {{ found }}
            place,
            json_type(coalesce(structure, unstructured)) as value_type
        from pieces
        where place <> '$' and (unstructured is not null or left(structure, 1) in ('{', '['))
        group by all
        union all
        select
            {{ found }}
            concat(place, substr(elements.fullkey, 2)) as place,
            case elements.type when 'VARCHAR' then elements.atom ->> '$' else elements.type end as value_type
        from (
            select
                {{ given }}
                place,
                {{ testio.duckdb_elements('json_tree(structure)', ['fullkey', 'type', 'atom']) }}
            from entries
        ) as taken_apart
        group by all
    ),

    general as (
        select
            {{ found }}
            case when contains(place, '"') then regexp_replace(place, '"([^"\\]|\\.)*"', '*', 'g') else place end as place,
            value_type
        from types
        where place <> '$'
        group by all
    )

    select
        {{ found }}
        {{ path.sql }} as json_path,
        case value_type
            when 'OBJECT' then 'object'
            when 'ARRAY' then 'array'
            when 'VARCHAR' then 'text'
            when 'BOOLEAN' then 'boolean'
            when 'NULL' then 'null'
            else 'number'
        end as json_type
    from general
    group by all
{%- endmacro %}

{# A join would keep a copy of the document in memory per element: gigabytes for a bug with a comment of 40
   MB, or with 50,000 keys. #}
{% macro duckdb_elements(function, fields) -%}
    unnest((
        select list(struct_pack(
            {%- for field in fields %}
            {{ field }} := found.{{ field }}{{ ',' if not loop.last }}
            {%- endfor %}
        ))
        from {{ function }} as found
    )) as elements
{%- endmacro %}

{% macro with_structure(relation, document) -%}
    select
        *,
        case when not is_mixed then found_structure end as structure,
        case when is_mixed then {{ document }} end as unstructured
    from (
        select
            *,
            coalesce(contains(found_structure, '"JSON"'), true) as is_mixed
        from (
            select
                *,
                case
                    when strlen({{ document }}) - strlen(replace(replace({{ document }}, '[', ''), '{', '')) < 128
                        then cast(try(json_structure({{ document }})) as varchar)
                end as found_structure
            from {{ relation }}
        ) as looked_at
    ) as judged
{%- endmacro %}

{% macro extreme_values(extremes) -%}
    {%- for name, function in extremes.items() %}
            {{ function }}({{ name }}) as {{ name }},
    {%- endfor %}
{%- endmacro %}

{% macro postgres__all_json_paths(relation, document, keep, extremes) -%}
    {%- set columns = keep | join(', ') ~ (', ' if keep) %}
    {%- set given = keep + extremes | list %}
    with recursive places as (
        select
            {%- for name in given %}
            {{ name }},
            {%- endfor %}
            '' as json_path,
            {{ testio.try_json(document) }} as found
        from {{ relation }}
        union all
        select
            {%- for name in given %}
            places.{{ name }},
            {%- endfor %}
            places.json_path || children.step as json_path,
            children.found
        from places
        cross join lateral (
            select
                case when places.json_path <> '' then '.' else '' end || case
                    when entries.entry_key ~ '^[A-Za-z][A-Za-z_]*([0-9][A-Za-z_]*){0,4}$' then entries.entry_key
                    else '*'
                end as step,
                entries.entry_value as found
            from json_each(case when json_typeof(places.found) = 'object' then places.found end)
                as entries (entry_key, entry_value)
            union all
            select
                '[]' as step,
                elements.element as found
            from json_array_elements(case when json_typeof(places.found) = 'array' then places.found end)
                as elements (element)
        ) as children
        where json_typeof(places.found) in ('object', 'array')
    )

    select
        {{ columns }}
        {{- testio.extreme_values(extremes) }}
        json_path,
        case json_typeof(found) when 'string' then 'text' else json_typeof(found) end as json_type
    from places
    where json_path <> ''
    group by {{ columns }} json_path, json_type
{%- endmacro %}

{# The paths are determined once per structure, not per document. A structure is the list of the document's
   tokens, without commas, and with the name of a type instead of each value. #}
{% macro spark__all_json_paths(relation, document, keep, extremes) -%}
    {%- set columns = keep | join(', ') ~ (', ' if keep) %}
    {%- set found = columns ~ testio.extreme_values(extremes) %}
    {%- set text = '"[^"\\\\]*+(?:\\\\.[^"\\\\]*+)*+"' %}
    select
        {{ found }}
        regexp_replace(place.json_path, '^[.]', '') as json_path,
        place.json_type as json_type
    from (
        select
            {{ columns }}
            {%- for name in extremes %}
            {{ name }},
            {%- endfor %}
            explode(aggregate(
                structure,
                named_struct(
                    'parents', cast(array() as array<string>),
                    'step', '',
                    'places', cast(array() as array<struct<json_path: string, json_type: string>>)
                ),
                (so_far, token) -> case
                    when token in ('}', ']') then named_struct(
                        'parents', slice(so_far.parents, 1, size(so_far.parents) - 1),
                        'step', '[]',
                        'places', so_far.places
                    )
                    when token like '.%' then named_struct(
                        'parents', so_far.parents, 'step', token, 'places', so_far.places
                    )
                    else named_struct(
                        'parents',
                        case
                            when token in ('object', 'array')
                                then concat(so_far.parents, array(coalesce(try_element_at(so_far.parents, -1), '') || so_far.step))
                            else so_far.parents
                        end,
                        'step', '[]',
                        'places',
                        concat(so_far.places, array(named_struct(
                            'json_path', coalesce(try_element_at(so_far.parents, -1), '') || so_far.step,
                            'json_type', token
                        )))
                    )
                end,
                outcome -> array_distinct(outcome.places)
            )) as place
        from (
            select
                {{ found }}
                transform(
                    regexp_extract_all({{ document }}, r'{{ text }}\s*:?|[{}\[\]]|[^\s,:{}\[\]"]+', 0),
                    token -> case
                        when token = '{' then 'object'
                        when token = '[' then 'array'
                        when token in ('}', ']') then token
                        when token rlike r'^"[A-Za-z][A-Za-z_]*([0-9][A-Za-z_]*){0,4}"\s*:\z'
                            then '.' || regexp_extract(token, '^"([^"]*)"', 1)
                        when token like '"%:' then '.*'
                        when token like '"%' then 'text'
                        when token in ('true', 'false') then 'boolean'
                        when token = 'null' then 'null'
                        else 'number'
                    end
                ) as structure
            from {{ relation }}
            where get_json_object({{ document }}, '$') is not null
            group by {{ columns }} structure
        ) as structures
    ) as places
    where place.json_path <> ''
    group by {{ columns }} json_path, json_type
{%- endmacro %}
