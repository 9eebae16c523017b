with source as (
    {{ catalogue_records('user_stories') }}
),

projected as (
    {{ project('source', 'payload', [
        ('path', 'path', 'name'),
        ('title', 'title', 'label'),
    ], keep=['id', 'customer_id', 'product_id', 'section_ids', 'loaded_at']) }}
),

renamed as (
    select
        -- keys
        id as user_story_id,
        customer_id,
        product_id,

        -- text
        path,
        title,
        coalesce(section_ids, '[]') as section_ids,
        unfit_columns,

        -- times
        {{ to_utc('loaded_at') }} as loaded_at
    from projected
)

select * from renamed
