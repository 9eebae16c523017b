with source as (
    select * from {{ ref('base_products') }}
),

-- sections_with_default lists all sections, but older products have only sections, or neither.
elements as (
    {{ explode('source', 'payload', 'sections_with_default', keep=['id', 'customer_id', 'loaded_at']) }}
    union all
    {{ explode('source', 'payload', 'sections', keep=['id', 'customer_id', 'loaded_at']) }}
),

projected as (
    {{ project('elements', 'element', [
        ('section_id', 'id', 'bigint'),
        ('section_name', 'name', 'name'),
    ], keep=['id', 'customer_id', 'loaded_at']) }}
),

newest_products as (
    select
        customer_id,
        id,
        loaded_at
    from source
    where version_age = 1
),

numbered as (
    select
        projected.section_id,
        projected.customer_id,
        projected.id,
        projected.section_name,
        projected.unfit_columns,
        projected.loaded_at = newest_products.loaded_at as is_listed,
        projected.loaded_at,
        row_number() over (
            partition by projected.customer_id, projected.section_id
            order by
                case when projected.loaded_at = newest_products.loaded_at then 0 else 1 end,
                projected.id asc,
                projected.loaded_at desc,
                {{ sortable('projected.section_name') }} asc
        ) as place
    from projected
    inner join newest_products
        on
            projected.customer_id = newest_products.customer_id
            and projected.id = newest_products.id
    where projected.section_id is not null
),

renamed as (
    select
        -- keys
        section_id,
        customer_id,
        id as product_id,

        -- text
        section_name,
        unfit_columns,

        -- flags
        is_listed,

        -- times
        {{ to_utc('loaded_at') }} as loaded_at
    from numbered
    where place = 1
)

select * from renamed
