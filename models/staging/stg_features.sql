with source as (
    {{ catalogue_records('features') }}
),

projected as (
    {{ project('source', 'payload', [
        ('title', 'title', 'label'),
        ('description', 'description', 'text'),
        ('howtofind', 'howtofind', 'text'),
        ('user_stories', 'user_stories', 'array'),
        ('own_section_ids', 'section_ids', 'array'),
    ], keep=['id', 'customer_id', 'product_id', 'section_ids', 'loaded_at']) }}
),

renamed as (
    select
        -- keys
        id as feature_id,
        customer_id,
        product_id,

        -- text
        title,
        description,
        howtofind,
        coalesce({{ user_story_texts('user_stories') }}, '[]') as user_stories,
        coalesce(nullif(section_ids, '[]'), own_section_ids, '[]') as section_ids,
        unfit_columns,

        -- times
        {{ to_utc('loaded_at') }} as loaded_at
    from projected
)

select * from renamed
