with source as (
    select * from {{ ref('base_tests') }}
    where version_age = 1
),

projected as (
    {{ project('source', 'payload', [
        ('title', 'title', 'label'),
        ('test_title', 'test_title', 'label'),
        ('status', 'status', 'name'),
        ('testing_type', 'testing_type', 'name'),
        ('given_testing_type', 'testing_type', 'json'),
        ('review_status', 'review_status', 'name'),
        ('report_language', 'report_language', 'name'),
        ('created_by', 'created_by', 'name'),
        ('submitted_by', 'submitted_by', 'name'),
        ('demo', 'demo', 'boolean'),
        ('enable_low', 'enable_low', 'boolean'),
        ('enable_high', 'enable_high', 'boolean'),
        ('enable_critical', 'enable_critical', 'boolean'),
        ('start_at', 'start_at', 'timestamp'),
        ('end_at', 'end_at', 'timestamp'),

        ('goal', 'goal', 'text'),
        ('goal_text', 'goal_text', 'text'),
        ('instructions', 'instructions', 'text'),
        ('instructions_text', 'instructions_text', 'text'),
        ('out_of_scope', 'out_of_scope', 'text'),
        ('out_of_scope_text', 'out_of_scope_text', 'text'),

        ('own_product_id', 'product.id', 'bigint'),
        ('product_name', 'product.name', 'name'),
        ('product_type', 'product.type', 'name'),

        ('section_id', 'section.id', 'bigint'),
        ('section_name', 'section.name', 'name'),

        ('test_environment_id', 'test_environment.id', 'bigint'),
        ('test_environment_title', 'test_environment.title', 'label'),

        ('features', 'features', 'array'),
        ('requirements', 'requirements', 'array'),
        ('attachments', 'attachments', 'array'),
    ], keep=['id', 'customer_id', 'product_id', 'loaded_at']) }}
),

renamed as (
    select
        -- keys
        id as test_id,
        customer_id,
        coalesce(product_id, own_product_id) as product_id,
        section_id,
        test_environment_id,

        -- text
        coalesce(title, test_title) as title,
        status,
        {{ testing_type() }} as testing_type,
        review_status,
        report_language,
        created_by,
        submitted_by,
        coalesce(goal_text, goal) as goal,
        coalesce(instructions_text, instructions) as instructions,
        coalesce(out_of_scope_text, out_of_scope) as out_of_scope,
        product_name,
        product_type,
        section_name,
        test_environment_title,
        coalesce(features, '[]') as features,
        coalesce(requirements, '[]') as requirements,
        coalesce(attachments, '[]') as attachments,
        unfit_columns,

        -- flags
        coalesce(demo, false) as is_demo,
        coalesce(enable_low, false) as enable_low,
        coalesce(enable_high, false) as enable_high,
        coalesce(enable_critical, false) as enable_critical,

        -- times
        start_at,
        end_at,
        {{ to_utc('loaded_at') }} as loaded_at
    from projected
)

select * from renamed
