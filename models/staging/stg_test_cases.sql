with source as (
    select
        test_id,
        customer_id,
        test_cases
    from {{ ref('stg_test_case_tests') }}
),

elements as (
    {{ explode('source', 'test_cases', keep=['test_id', 'customer_id']) }}
),

projected as (
    {{ project('elements', 'element', [
        ('test_case_id', 'id', 'bigint'),
        ('feature_id', 'feature_id', 'bigint'),
        ('title', 'title', 'label'),
        ('steps', 'steps', 'array'),
    ], keep=['test_id', 'customer_id', 'element_number']) }}
),

-- Of several test cases with the same id, only the first is kept.
numbered as (
    select
        *,
        row_number() over (
            partition by customer_id, test_id, test_case_id
            order by element_number
        ) as place
    from projected
    where test_case_id is not null
),

renamed as (
    select
        -- keys
        test_case_id,
        customer_id,
        test_id,
        feature_id,

        -- text
        title,
        coalesce(steps, '[]') as steps,
        unfit_columns,

        -- numbers
        element_number
    from numbered
    where place = 1
)

select * from renamed
