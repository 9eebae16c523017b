{% macro json_paths(relation, document, keep=[]) -%}
    {%- set columns = keep | join(', ') ~ (', ' if keep) %}
    select
        {{ columns }}
        json_path,
        json_type
    from (
        select
            *,
            count(case when json_type <> 'null' then 1 end) over (partition by {{ columns }} json_path) as type_count
        from (
            {{ testio.all_json_paths(relation, document, keep) }}
        ) as found
    ) as counted
    where
        json_type <> 'null'
        or json_path not like '%]%'
        or (type_count = 0 and json_path not like '%]')
{%- endmacro %}

{% macro all_json_paths(relation, document, keep=[]) -%}
    {{ adapter.dispatch('all_json_paths', 'testio')(relation, document, keep) }}
{%- endmacro %}

{% macro default__all_json_paths(relation, document, keep) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{# Documents of one structure have the same paths, and there are far fewer structures than documents. A
   structure is itself JSON, with the name of a type in the place of each value. It says 'JSON' where
   elements of an array are of several types; such documents are looked at themselves. So are those that
   could be nested beyond 128 levels, for which DuckDB finds no structure and has to be started anew, and
   those that are no object. Structures share most of their entries, so each entry is looked at once.

   `fullkey` starts with `$`, and has keys that are no such name in quotes. There can be any number of
   these, so they are generalised first. #}
{% macro duckdb__all_json_paths(relation, document, keep) -%}
    {%- set columns = keep | join(', ') ~ (', ' if keep) %}
    {%- set path = namespace(sql='place') %}
    {%- for pattern, general in [
        ('[.][A-Za-z_]*([0-9][A-Za-z_]*){5,}', '.*'),
        ('\\[[0-9]+\\]', '[]'),
        ('^[$][.]?', ''),
    ] %}
        {%- set path.sql = "regexp_replace(" ~ path.sql ~ ", '" ~ pattern ~ "', '" ~ general ~ "', 'g')" %}
    {%- endfor %}
    with structures as (
        select distinct
            {{ columns }}
            structure,
            case
                when structure is null or contains(structure, '"JSON"') or not starts_with(structure, '{')
                    then given_document
            end as whole_document
        from (
            select
                {{ columns }}
                {{ document }} as given_document,
                case
                    when strlen({{ document }}) - strlen(replace(replace({{ document }}, '[', ''), '{', '')) < 128
                        then cast(try(json_structure({{ document }})) as varchar)
                end as structure
            from {{ relation }}
        ) as documents
    ),

    pieces as (
        select
            {{ columns }}
            try_cast(whole_document as json) as piece,
            false as is_structure
        from structures
        where whole_document is not null
        union all
        select distinct
            {{ columns }}
            json_object(entries.key, entries.value) as piece,
            true as is_structure
        from structures, json_each(structures.structure) as entries
        where whole_document is null
    )

    select distinct
        {{ columns }}
        {{ path.sql }} as json_path,
        case value_type
            when 'OBJECT' then 'object'
            when 'ARRAY' then 'array'
            when 'VARCHAR' then 'text'
            when 'BOOLEAN' then 'boolean'
            when 'NULL' then 'null'
            else 'number'
        end as json_type
    from (
        select distinct
            {{ columns }}
            case
                when contains(tree.fullkey, '"')
                    then regexp_replace(tree.fullkey, '"([^"\\]|\\.)*"', '*', 'g')
                else tree.fullkey
            end as place,
            case
                when is_structure and tree.type = 'VARCHAR' then tree.atom ->> '$'
                else tree.type
            end as value_type
        from pieces, json_tree(piece) as tree
        where tree.parent is not null
    ) as places
{%- endmacro %}

{% macro postgres__all_json_paths(relation, document, keep) -%}
    {%- set columns = keep | join(', ') ~ (', ' if keep) %}
    with recursive places as (
        select
            {{ columns }}
            '' as json_path,
            {{ testio.try_json(document) }} as found
        from {{ relation }}
        union all
        select
            {%- for name in keep %}
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

    select distinct
        {{ columns }}
        json_path,
        case json_typeof(found) when 'string' then 'text' else json_typeof(found) end as json_type
    from places
    where json_path <> ''
{%- endmacro %}

{# What documents of one structure have in common is found out once. A structure is the document's tokens,
   without commas, and with the name of a type in the place of each value. #}
{% macro spark__all_json_paths(relation, document, keep) -%}
    {%- set columns = keep | join(', ') ~ (', ' if keep) %}
    {%- set text = '"[^"\\\\]*+(?:\\\\.[^"\\\\]*+)*+"' %}
    select distinct
        {{ columns }}
        regexp_replace(place.json_path, '^[.]', '') as json_path,
        place.json_type as json_type
    from (
        select
            {{ columns }}
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
            select distinct
                {{ columns }}
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
        ) as structures
    ) as places
    where place.json_path <> ''
{%- endmacro %}
