with tests as (
    select * from {{ ref('semantic_tests') }}
    where is_counted
),

test_features as (
    select * from {{ ref('fct_test_features') }}
),

keyed as (
    select
        customer_id,
        test_id,
        test_feature_id,
        {{ entity_key('feature_id') }} as feature_key,
        execution_status,
        tested_user_story_count,
        passed_user_story_count
    from test_features
),

-- The left join keeps tests without features, because they count as tests too.
joined as (
    select
        tests.test_key,
        keyed.test_feature_id,
        coalesce(keyed.feature_key, cast(tests.customer_id as {{ dbt.type_string() }}) || '/no feature')
            as feature_key,
        keyed.feature_key as listed_feature_key,
        case when keyed.execution_status <> 'not_tested' then keyed.feature_key end as tested_feature_key,
        coalesce(keyed.execution_status, 'no feature') as execution_status,
        coalesce(keyed.tested_user_story_count, 0) as tested_user_story_count,
        coalesce(keyed.passed_user_story_count, 0) as passed_user_story_count,
        tests.ended_on
    from tests
    left join keyed
        on
            tests.customer_id = keyed.customer_id
            and tests.test_id = keyed.test_id
)

select * from joined
