{% macro json_paths(relation, document, keep=[]) -%}
    {{ adapter.dispatch('json_paths', 'testio')(relation, document, keep) }}
{%- endmacro %}

{% macro default__json_paths(relation, document, keep) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{# Documents of one structure have the same paths, and there are far fewer structures than documents. A
   structure is itself JSON, with the name of a type in the place of each value. It says 'JSON' where
   elements of an array are of several types; such documents are looked at themselves.

   `fullkey` starts with `$`, and has keys that are no such name in quotes. There can be any number of
   these, so they are generalised first. #}
{% macro duckdb__json_paths(relation, document, keep) -%}
    {%- set columns = keep | join(', ') ~ (', ' if keep) %}
    {%- set path = namespace(sql='place') %}
    {%- for pattern, general in [
        ('[.][A-Za-z_]*([0-9][A-Za-z_]*){5,}', '.*'),
        ('\\[[0-9]+\\]', '[]'),
        ('^[$][.]?', ''),
    ] %}
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
        select distinct
            {{ columns }}
            case
                when contains(tree.fullkey, '"')
                    then regexp_replace(tree.fullkey, '"([^"\\]|\\.)*"', '*', 'g')
                else tree.fullkey
            end as place,
            case
                when mixed_document is null and tree.type = 'VARCHAR' then tree.atom ->> '$'
                else tree.type
            end as value_type
        from (
            select distinct
                {{ columns }}
                structure,
                case when contains(structure, '"JSON"') then given_document end as mixed_document
            from (
                select
                    {{ columns }}
                    {{ document }} as given_document,
                    cast(json_structure(try_cast({{ document }} as json)) as varchar) as structure
                from {{ relation }}
            ) as documents
        ) as structures, json_tree(cast(coalesce(mixed_document, structure) as json)) as tree
        where tree.parent is not null
    ) as places
    where not (value_type = 'NULL' and place like '%]')
{%- endmacro %}
