with source as (
    {{ current_records('tests') }}
),

features as (
    select
        customer_id,
        feature_id
    from {{ ref('stg_features') }}
),

elements as (
    {{ explode('source', 'payload', 'features', keep=['id', 'customer_id', 'loaded_at']) }}
),

projected as (
    {{ project('elements', 'element', [
        ('test_feature_id', 'id', 'bigint'),
        ('feature_id', 'feature_id', 'bigint'),
        ('title', 'title', 'label'),
        ('description', 'description', 'text'),
        ('howtofind', 'howtofind', 'text'),
        ('user_stories', 'user_stories', 'array'),
        ('enable_default', 'enable_default', 'boolean'),
        ('enable_content', 'enable_content', 'boolean'),
        ('enable_visual', 'enable_visual', 'boolean'),
    ], keep=['id', 'customer_id', 'loaded_at', 'element_number', 'element']) }}
),

renamed as (
    select
        -- keys
        test_feature_id,
        customer_id,
        id as test_id,
        feature_id,
        element_number,

        -- text
        title,
        description,
        howtofind,
        coalesce({{ user_story_texts('user_stories') }}, '[]') as user_stories,
        element as original,
        unfit_columns,

        -- flags
        coalesce(enable_default, false) as enable_default,
        coalesce(enable_content, false) as enable_content,
        coalesce(enable_visual, false) as enable_visual,

        -- times
        {{ to_utc('loaded_at') }} as loaded_at
    from projected
),

judged_alone as (
    select
        renamed.*,
        case
            when renamed.test_feature_id is null then 'no_id'
            when renamed.feature_id is null then 'no_feature_id'
            when features.feature_id is null then 'unknown_feature'
        end as own_reason
    from renamed
    left join features
        on
            renamed.customer_id = features.customer_id
            and renamed.feature_id = features.feature_id
),

-- Of elements with the same id, the one that landed last stays.
ranked as (
    select
        *,
        row_number() over (
            partition by customer_id, test_feature_id, own_reason
            order by loaded_at desc, test_id desc, element_number asc
        ) as place
    from judged_alone
),

judged as (
    select
        test_feature_id,
        customer_id,
        test_id,
        feature_id,
        element_number,
        title,
        description,
        howtofind,
        user_stories,
        original,
        unfit_columns,
        case when own_reason is null and place > 1 then 'duplicate_id' else own_reason end
            as rejected_because,
        enable_default,
        enable_content,
        enable_visual,
        loaded_at
    from ranked
)

select * from judged
