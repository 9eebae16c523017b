{# User stories as a JSON array of texts. The API gives texts or objects; of an object its path counts,
   which is that text, or else its title. #}
{% macro user_story_texts(user_stories) -%}
    {{ texts_as_json(array_texts(user_stories, ['path', 'title'])) }}
{%- endmacro %}
