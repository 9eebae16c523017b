{# A value of the wrong kind would not fail, but change the figures. dbt renders hooks whenever it parses the
   project, so this check also protects `mf`. #}
{% macro check_vars() %}
    {%- set rules = [
        ('[0-9]{1,9}([.][0-9]{1,4})?', 'a number from 0 on with at most 4 decimals', [
            'severity_weight_critical', 'severity_weight_high', 'severity_weight_low', 'severity_weight_other',
        ]),
        ('0([.][0-9]+)?|1([.]0+)?', 'a number from 0 to 1', [
            'rejection_rate_healthy_below', 'rejection_rate_critical_above',
            'auto_acceptance_rate_healthy_below', 'auto_acceptance_rate_critical_above',
            'review_rate_healthy_above', 'review_rate_critical_below',
            'active_acceptance_rate_healthy_from', 'active_acceptance_rate_critical_below',
            'hotspot_bug_share',
        ]),
        ('[0-9]{1,9}', 'a whole number from 0 on', ['tester_minimum_bugs']),
        ('[1-9][0-9]{0,8}', 'a whole number from 1 on', ['health_minimum_decided_bugs']),
        ('[0-9]{1,3}', 'a whole number of days from 0 to 999', ['auto_acceptance_days', 'auto_acceptance_warning_days', 'untested_risk_days']),
        ('[5-9]|[1-9][0-9]{1,2}', 'a whole number from 5 to 999', ['control_chart_cycles', 'control_chart_minimum_cycles']),
        ('[2-9]|[1-9][0-9]', 'a whole number from 2 to 99', ['control_chart_run']),
        (
            "(https?://([^'{}\\s]|[{](customer_id|test_id|bug_id)[}])+)?",
            'an address that begins with https://, with no other braces than those of {customer_id}, {test_id} and {bug_id}',
            ['bug_url_template'],
        ),
        (
            "(https?://([^'{}\\s]|[{](customer_id|test_id)[}])+)?",
            'an address that begins with https://, with no other braces than those of {customer_id} and {test_id}',
            ['test_url_template'],
        ),
        ('19[1-9][0-9]|2[0-9]{3}', 'a year from 1910 to 2999', ['calendar_first_year']),
        ('[0-9]{1,2}', 'a whole number of years from 0 to 99', ['calendar_years_ahead']),
    ] %}
    {%- set ordered = [
        ('rejection_rate_healthy_below', 'rejection_rate_critical_above'),
        ('auto_acceptance_rate_healthy_below', 'auto_acceptance_rate_critical_above'),
        ('review_rate_critical_below', 'review_rate_healthy_above'),
        ('active_acceptance_rate_critical_below', 'active_acceptance_rate_healthy_from'),
        ('control_chart_minimum_cycles', 'control_chart_cycles'),
    ] %}
    {%- set wrong = [] %}
    {%- for pattern, kind, names in rules %}
        {%- for name in names if not modules.re.fullmatch(pattern, var(name) | string) %}
            {%- do wrong.append(name ~ ' must be ' ~ kind ~ ', not ' ~ var(name)) %}
        {%- endfor %}
    {%- endfor %}
    {%- for low, high in ordered if not wrong and var(low) | float > var(high) | float %}
        {%- do wrong.append(low ~ ' must be at most ' ~ high ~ ', which is ' ~ var(high) ~ ', not ' ~ var(low)) %}
    {%- endfor %}
    {%- if wrong %}
        {{- exceptions.raise_compiler_error('Of the vars, ' ~ wrong | join('; ')) }}
    {%- endif %}
{% endmacro %}
