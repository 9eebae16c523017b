{# The endpoints whose records land, each with the scope that its records are read in: the account's, a
   product's, a test's, or that of the test which the record itself is. #}
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
