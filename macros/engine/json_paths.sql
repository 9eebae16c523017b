{# One row for each path and type of value that occurs in the documents with the same `keep`.

   `json_path` is keys joined by dots, without the document itself; `[]` stands for any element of an
   array. A key that is no name (a letter, then letters, digits and underscores, four digits at most)
   is data, such as an id or a title: `*` stands for any such key. So a map of a thousand ids is one
   path; a map of a thousand words is a thousand paths.
   `json_type` is object, array, text, number, boolean or null; elements that are null do not count. What
   is no JSON has no paths. #}
{% macro json_paths(relation, document, keep=[]) -%}
    {{ adapter.dispatch('json_paths', 'testio')(relation, document, keep) }}
{%- endmacro %}

{% macro default__json_paths(relation, document, keep) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{# Documents of one structure have the same paths, and there are far fewer structures than documents:
   ten times as fast as a look at each value (20,000 documents of 2 kB, DuckDB 2.0.0). A structure is
   itself JSON, with the name of a type in the place of each value. It says 'JSON' where the elements of an array
   are of several types; such documents are looked at themselves.

   `fullkey` starts with `$`, and has keys that are no such name in quotes. #}
{% macro duckdb__json_paths(relation, document, keep) -%}
    {%- set columns = keep | join(', ') ~ (', ' if keep) %}
    {%- set generalisations = [
        ('[.]"([^"\\\\]|\\\\.)*"', '.*'),
        ('[.][A-Za-z_]*([0-9][A-Za-z_]*){5,}', '.*'),
        ('\\[[0-9]+\\]', '[]'),
        ('^[$][.]?', ''),
    ] %}
    {%- set path = namespace(sql='place') %}
    {%- for pattern, general in generalisations %}
        {%- set path.sql = "regexp_replace(" ~ path.sql ~ ", '" ~ pattern ~ "', '" ~ general ~ "', 'g')" %}
    {%- endfor %}
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
        select
            {{ columns }}
            tree.fullkey as place,
            case when tree.type = 'VARCHAR' then tree.atom ->> '$' else tree.type end as value_type
        from (
            select distinct
                {{ columns }}
                structure
            from (
                select
                    {{ columns }}
                    json_structure(try_cast({{ document }} as json)) as structure
                from {{ relation }}
            ) as structures
            where not contains(cast(structure as varchar), '"JSON"')
        ) as structures, json_tree(structures.structure) as tree
        where tree.parent is not null
        union all
        select
            {{ columns }}
            tree.fullkey as place,
            tree.type as value_type
        from (
            select *
            from {{ relation }}
            where contains(cast(json_structure(try_cast({{ document }} as json)) as varchar), '"JSON"')
        ) as documents, json_tree(try_cast({{ document }} as json)) as tree
        where tree.parent is not null
    ) as places
    where not (value_type = 'NULL' and place like '%]')
{%- endmacro %}
