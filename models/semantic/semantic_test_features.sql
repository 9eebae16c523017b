with tests as (
    select * from {{ ref('wide_tests') }}
    where is_counted
),

test_features as (
    select * from {{ ref('fct_test_features') }}
),

-- The left join keeps tests without features, because they count as tests too.
joined as (
    select
        tests.test_key,
        test_features.test_feature_id,
        coalesce(
            test_features.feature_key,
            {{ entity_key("'no feature'", customer_id='tests.customer_id') }}
        ) as feature_key,
        test_features.feature_key as listed_feature_key,
        case when test_features.execution_status <> 'not_tested' then test_features.feature_key end
            as tested_feature_key,
        coalesce(test_features.execution_status, 'no feature') as execution_status,
        coalesce(test_features.tested_user_story_count, 0) as tested_user_story_count,
        coalesce(test_features.passed_user_story_count, 0) as passed_user_story_count,
        tests.ended_on
    from tests
    left join test_features on tests.test_key = test_features.test_key
)

select * from joined
