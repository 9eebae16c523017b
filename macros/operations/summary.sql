{% macro summary() %}
    {%- if execute %}
        {%- set counts = [] %}
        {%- for model in ['dim_products', 'dim_features', 'dim_tests', 'stg_test_features', 'fct_bugs'] %}
            {%- do counts.append("select " ~ loop.index ~ " as place, '" ~ model ~ "' as model, count(*) as row_count from " ~ testio.relation_of(model) ~ (' where not is_placeholder' if model.startswith('dim_') else '')) %}
        {%- endfor %}
        {%- do testio.print_result('Rows', 'select model, row_count from (' ~ counts | join(' union all ') ~ ') as counts order by place') %}
        {%- do testio.print_result('Rejected, and why', "
            select what, reason, count(*) as row_count from (
                select 'test feature' as what, rejected_because as reason from " ~ testio.relation_of('audit_rejected_test_features') ~ "
                union all
                select 'bug', rejected_because from " ~ testio.relation_of('audit_rejected_bugs') ~ "
                union all
                select 'bug without test feature', unattributed_because from " ~ testio.relation_of('fct_bugs') ~ " where unattributed_because is not null
                union all
                select 'record of ' || endpoint, reason from " ~ testio.relation_of('audit_quarantine') ~ "
                union all
                select 'incomplete scope of ' || endpoint, outcome from " ~ testio.relation_of('audit_incomplete_scopes') ~ "
            ) as rejected group by what, reason order by what, row_count desc") %}
        {#- As in the first question of docs/questions.md. #}
        {%- do testio.print_result('Most fragile features (bugs per test, of features that at least two tests list)', "
            select features.title as feature, products.product_name as product, features.test_count as tests,
                features.bug_count as bugs, features.critical_bug_count as critical,
                round(cast(features.bugs_per_test as decimal(18, 4)), 2) as bugs_per_test
            from " ~ testio.relation_of('feature_quality') ~ " as features
            inner join " ~ testio.relation_of('dim_products') ~ " as products on features.product_key = products.product_key
            where features.test_count >= 2
            order by features.bugs_per_test desc, features.title limit 5") %}
        {%- do print('\nThe warehouse is ' ~ (target.path or target.database) ~ '. Ask it something:') %}
        {%- do print('  .venv/bin/dbt show --inline "select status, count(*) as bugs from {{ ref(' ~ "'fct_bugs'" ~ ') }} group by status"') %}
    {%- endif %}
{% endmacro %}

{% macro relation_of(model) %}
    {%- set node = graph.nodes['model.testio.' ~ model] %}
    {{- return(node.relation_name) }}
{% endmacro %}

{% macro print_result(heading, sql) %}
    {%- set result = run_query(sql) %}
    {%- do print('\n' ~ heading) %}
    {%- if result | length == 0 %}
        {%- do print('  none') %}
    {%- else %}
        {%- do result.print_table(max_rows=20, max_columns=8, max_column_width=40) %}
    {%- endif %}
{% endmacro %}
