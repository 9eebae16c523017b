with source as (
    select
        test_id,
        customer_id,
        element_number as feature_number,
        test_feature_id,
        user_stories,
        loaded_at
    from {{ ref('stg_test_feature_results') }}
),

elements as (
    {{ explode(
        'source', 'user_stories',
        keep=['test_id', 'customer_id', 'feature_number', 'test_feature_id', 'loaded_at']
    ) }}
),

-- If the API gives a user story as a text, the text is its path.
documents as (
    select
        test_id,
        customer_id,
        feature_number,
        test_feature_id,
        element_number,
        case when left(element, 1) = '"' then '{"path":' || element || '}' else element end as element,
        loaded_at
    from elements
),

projected as (
    {{ project('documents', 'element', [
        ('user_story_id', 'id', 'bigint'),
        ('user_story_version_id', 'user_story_version_id', 'bigint'),
        ('feature_id', 'feature_id', 'bigint'),
        ('path', 'path', 'name'),
        ('title', 'title', 'label'),
        ('execution_status', 'execution_status', 'name'),
        ('tested_by_count', 'tested_by_count', 'bigint'),
        ('bugs_found', 'bugs_found', 'bigint'),
        ('bug_ids', 'bug_ids', 'array'),
    ], keep=[
        'test_id', 'customer_id', 'feature_number', 'test_feature_id', 'element_number', 'loaded_at'
    ]) }}
),

renamed as (
    select
        -- keys
        test_id,
        customer_id,
        feature_number,
        element_number,
        test_feature_id,
        feature_id,
        user_story_id,
        user_story_version_id,

        -- text
        path,
        title,
        execution_status,
        bug_ids,
        unfit_columns,

        -- numbers
        tested_by_count as tester_count,
        bugs_found as bug_count,

        -- times
        loaded_at
    from projected
)

select * from renamed
