with source as (
    select * from {{ ref('base_products') }}
    where version_age = 1
),

projected as (
    {{ project('source', 'payload', [
        ('default_section_id', 'default_section_id', 'bigint'),
        ('product_name', 'name', 'name'),
        ('product_type', 'type', 'name'),
        ('description', 'description', 'text'),
        ('sections', 'sections', 'array'),
        ('sections_with_default', 'sections_with_default', 'array'),
    ], keep=['id', 'customer_id', 'loaded_at']) }}
),

renamed as (
    select
        -- keys
        id as product_id,
        customer_id,
        default_section_id,

        -- text
        product_name,
        product_type,
        description,
        coalesce(sections, '[]') as sections,
        coalesce(sections_with_default, '[]') as sections_with_default,
        unfit_columns,

        -- times
        {{ to_utc('loaded_at') }} as loaded_at
    from projected
)

select * from renamed
