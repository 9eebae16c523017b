with source as (
    select * from {{ ref('base_reject_reasons') }}
    where version_age = 1
),

projected as (
    {{ project('source', 'payload', [
        ('reject_reason_name', 'name', 'name'),
        ('default_comment', 'default_comment', 'text'),
    ], keep=['id', 'customer_id', 'position', 'loaded_at']) }}
),

renamed as (
    select
        -- keys
        id as reject_reason,
        customer_id,

        -- text
        reject_reason_name,
        default_comment,
        unfit_columns,

        -- numbers
        position as list_position,

        -- times
        {{ to_utc('loaded_at') }} as loaded_at
    from projected
)

select * from renamed
