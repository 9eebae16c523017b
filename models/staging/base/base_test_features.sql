with source as (
    select * from {{ ref('base_tests') }}
    where version_age = 1
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

listed_tests as (
    select distinct
        customer_id,
        id as test_id
    from (
        {{ standing_ids(ref('stg_ledger'), 'tests') }}
    ) as listed
),

-- Of several elements with the same id, one is kept: of a test that is still listed, if there is one, and
-- then of the test with the lowest id.
ranked as (
    select
        judged_alone.*,
        row_number() over (
            partition by judged_alone.customer_id, judged_alone.test_feature_id, judged_alone.own_reason
            order by
                case when listed_tests.test_id is null then 1 else 0 end,
                judged_alone.test_id asc,
                judged_alone.element_number asc
        ) as place
    from judged_alone
    left join listed_tests
        on
            judged_alone.customer_id = listed_tests.customer_id
            and judged_alone.test_id = listed_tests.test_id
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
