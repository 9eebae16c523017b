{# User stories as a JSON array of texts. The API gives texts or objects; of an object its title counts,
   or else its path. #}
{% macro user_story_texts(user_stories) -%}
    {{ texts_as_json(array_texts(user_stories, ['title', 'path'])) }}
{%- endmacro %}
