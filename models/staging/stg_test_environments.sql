with source as (
    {{ catalogue_records('test_environments') }}
),

projected as (
    {{ project('source', 'payload', [
        ('title', 'title', 'label'),
        ('url', 'url', 'text'),
        ('access_type', 'access_type', 'name'),
        ('proxy', 'proxy', 'boolean'),
        ('allow_orders', 'allow_orders', 'boolean'),
    ], keep=['id', 'customer_id', 'product_id', 'loaded_at']) }}
),

renamed as (
    select
        -- keys
        id as test_environment_id,
        customer_id,
        product_id,

        -- text
        title,
        url,
        access_type,
        unfit_columns,

        -- flags
        coalesce(proxy, false) as has_proxy,
        coalesce(allow_orders, false) as allow_orders,

        -- times
        {{ to_utc('loaded_at') }} as loaded_at
    from projected
)

select * from renamed
