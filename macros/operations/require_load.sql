{# Without this check, every model would fail with its own error. A project that uses this one as a package
   can build its own models without a load. #}
{% macro require_load() %}
    {%- if execute and flags.WHICH in ['build', 'run', 'test'] %}
        {%- set models = [] %}
        {%- for id in selected_resources if id.startswith('model.testio.') or id.startswith('test.testio.') %}
            {%- do models.append(id) %}
        {%- endfor %}
        {%- if models and not testio.has_landed() %}
            {{- exceptions.raise_compiler_error(
                'There are no data in the schema ' ~ source('testio_raw', '_dlt_loads').schema
                ~ ': no load has been completed. Run `testio-loader load` first'
            ) }}
        {%- endif %}
    {%- endif %}
{% endmacro %}

{% macro has_landed() %}
    {%- set loads = load_relation(source('testio_raw', '_dlt_loads')) %}
    {{- return(loads is not none and run_query('select 1 from ' ~ loads ~ ' where status = 0 limit 1') | length > 0) }}
{% endmacro %}
