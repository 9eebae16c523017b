with source as (
    select
        test_id,
        customer_id,
        features,
        loaded_at
    from {{ ref('stg_test_details') }}
),

elements as (
    {{ explode('source', 'features', keep=['test_id', 'customer_id', 'loaded_at']) }}
),

projected as (
    {{ project('elements', 'element', [
        ('test_feature_id', 'id', 'bigint'),
        ('feature_id', 'feature_id', 'bigint'),
        ('execution_status', 'execution_status', 'name'),
        ('tester_count', 'tester_count', 'bigint'),
        ('bugs_found', 'bugs_found', 'bigint'),
        ('bug_ids', 'bug_ids', 'array'),
        ('user_stories', 'user_stories', 'array'),
    ], keep=['test_id', 'customer_id', 'element_number', 'loaded_at']) }}
),

renamed as (
    select
        -- keys
        test_id,
        customer_id,
        element_number,
        test_feature_id,
        feature_id,

        -- text
        execution_status,
        bug_ids,
        coalesce(user_stories, '[]') as user_stories,
        unfit_columns,

        -- numbers
        tester_count,
        bugs_found as bug_count,

        -- times
        loaded_at
    from projected
)

select * from renamed
