{% macro user_story_texts(user_stories) -%}
    {{ texts_as_json(array_texts(user_stories, ['path', 'title'])) }}
{%- endmacro %}
