with source as (
    select * from {{ ref('base_tests') }}
),

projected as (
    {{ project('source', 'payload', [
        ('status', 'status', 'name'),
        ('testing_type', 'testing_type', 'name'),
        ('given_testing_type', 'testing_type', 'json'),
    ], keep=['id', 'customer_id', 'loaded_at']) }}
),

-- If an archive is replayed twice, the same version lands twice.
renamed as (
    select distinct
        -- keys
        id as test_id,
        customer_id,

        -- text
        status,
        {{ testing_type() }} as testing_type,
        unfit_columns,

        -- times
        {{ to_utc('loaded_at') }} as loaded_at
    from projected
)

select * from renamed
