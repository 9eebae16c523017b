with source as (
    select * from {{ ref('base_test_details') }}
    where version_age = 1
),

projected as (
    {{ project('source', 'payload', [
        ('features', 'features', 'array'),

        ('tester_count', 'analytics.testers_count', 'bigint'),
        ('device_count', 'analytics.devices_count', 'bigint'),
        ('feature_count', 'analytics.total_features', 'bigint'),
        ('tested_feature_count', 'analytics.tested_features', 'bigint'),
        ('passed_feature_count', 'analytics.passed_features', 'bigint'),
        ('failed_feature_count', 'analytics.failed_features', 'bigint'),
        ('user_story_count', 'analytics.total_user_stories', 'bigint'),
        ('tested_user_story_count', 'analytics.tested_user_stories', 'bigint'),
        ('passed_user_story_count', 'analytics.passed_user_stories', 'bigint'),
        ('failed_user_story_count', 'analytics.failed_user_stories', 'bigint'),
        ('blocked_user_story_count', 'analytics.blocked_user_stories', 'bigint'),
        ('bug_count', 'analytics.total_bugs', 'bigint'),
    ], keep=['id', 'customer_id', 'product_id', 'loaded_at']) }}
),

renamed as (
    select
        -- keys
        id as test_id,
        customer_id,
        product_id,

        -- text
        coalesce(features, '[]') as features,
        unfit_columns,

        -- numbers
        tester_count,
        device_count,
        feature_count,
        tested_feature_count,
        passed_feature_count,
        failed_feature_count,
        user_story_count,
        tested_user_story_count,
        passed_user_story_count,
        failed_user_story_count,
        blocked_user_story_count,
        bug_count,

        -- times
        {{ to_utc('loaded_at') }} as loaded_at
    from projected
)

select * from renamed
