{% macro endpoints() %}
    {{- return({
        'products': 'account',
        'reject_reasons': 'account',
        'features': 'product',
        'user_stories': 'product',
        'test_environments': 'product',
        'test_templates': 'product',
        'tests': 'product',
        'test_details': 'test itself',
        'bugs': 'test',
        'executions': 'test',
        'test_case_tests': 'test itself',
        'test_case_results': 'test',
    }) }}
{% endmacro %}
