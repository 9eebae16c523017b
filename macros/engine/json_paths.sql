{# One row for each path and type of value that occurs in the documents with the same `keep`.

   `json_path` is keys joined by dots, without the document itself; `[]` stands for any element of an
   array. A key that is no name (a letter, then letters, digits and underscores, four digits at most)
   is data, such as an id or a title: `*` stands for any such key. So a map of a thousand ids is one
   path; a map of a thousand words is a thousand paths.
   `json_type` is object, array, text, number, boolean or null. What is no JSON has no paths. #}
{% macro json_paths(relation, document, keep=[]) -%}
    {{ adapter.dispatch('json_paths', 'testio')(relation, document, keep) }}
{%- endmacro %}

{% macro default__json_paths(relation, document, keep) -%}
    {{ testio.unsupported() }}
{%- endmacro %}

{# `fullkey` starts with `$`, and has keys that are no such name in quotes. These are generalised at once,
   as there can be any number of them; the rest after grouping, since there are far more values than places. #}
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
        select
            {{ columns }}
            case
                when contains(tree.fullkey, '"')
                    then regexp_replace(tree.fullkey, '"([^"\\]|\\.)*"', '*', 'g')
                else tree.fullkey
            end as place,
            tree.type as value_type
        from {{ relation }}, json_tree(try_cast({{ document }} as json)) as tree
        where tree.parent is not null
        group by {{ columns }} place, value_type
    ) as places
{%- endmacro %}
