with tests as (
    select * from {{ ref('stg_tests') }}
),

customers as (
    select * from {{ ref('int_customers') }}
),

deleted as (
    select * from {{ ref('int_deleted_records') }}
    where endpoint = 'tests'
),

as_of as (
    select * from {{ ref('int_as_of') }}
),

marked as (
    select
        tests.test_id,
        tests.customer_id,
        tests.product_id,
        tests.section_id,
        tests.test_environment_id,
        tests.title,
        tests.status,
        tests.testing_type,
        tests.review_status,
        tests.goal,
        tests.instructions,
        tests.out_of_scope,
        tests.report_language,
        tests.created_by,
        tests.submitted_by,
        tests.section_name,
        tests.test_environment_title,
        {{ array_length('tests.features') }} as feature_count,
        {{ array_length('tests.requirements') }} as requirement_count,
        {{ array_length('tests.attachments') }} as attachment_count,
        tests.enable_low,
        tests.enable_high,
        tests.enable_critical,
        tests.is_demo,
        coalesce(tests.status in ('running', 'locked', 'archived', 'customer_finalized'), false)
            as is_executed,
        coalesce(
            tests.status in ('locked', 'archived', 'cancelled', 'completed')
            or (tests.status in ('running', 'customer_finalized') and tests.end_at < as_of.as_of_at), false
        ) as is_finished,
        deleted.record_id is not null as is_deleted,
        {{ calendar_day('tests.start_at') }} as start_on,
        {{ calendar_day('tests.end_at') }} as end_on,
        tests.start_at,
        tests.end_at,
        {{ web_address('test_url_template', {
            'customer_id': 'tests.customer_id', 'test_id': 'tests.test_id',
        }) }}
            as test_url,
        deleted.last_seen_at,
        deleted.first_missed_at
    from tests
    left join deleted
        on
            tests.customer_id = deleted.customer_id
            and tests.test_id = deleted.record_id
    left join as_of on tests.customer_id = as_of.customer_id
),

-- An execution can belong to a test that the API no longer has.
members as (
    select
        {{ entity_key('test_id') }} as test_key,
        *,
        false as is_placeholder
    from marked
    union all
    select
        {{ entity_key("'unknown'") }} as test_key,
        cast(null as bigint) as test_id,
        customer_id,
        cast(null as bigint) as product_id,
        cast(null as bigint) as section_id,
        cast(null as bigint) as test_environment_id,
        'unknown' as title,
        cast(null as {{ dbt.type_string() }}) as status,
        cast(null as {{ dbt.type_string() }}) as testing_type,
        cast(null as {{ dbt.type_string() }}) as review_status,
        cast(null as {{ dbt.type_string() }}) as goal,
        cast(null as {{ dbt.type_string() }}) as instructions,
        cast(null as {{ dbt.type_string() }}) as out_of_scope,
        cast(null as {{ dbt.type_string() }}) as report_language,
        cast(null as {{ dbt.type_string() }}) as created_by,
        cast(null as {{ dbt.type_string() }}) as submitted_by,
        cast(null as {{ dbt.type_string() }}) as section_name,
        cast(null as {{ dbt.type_string() }}) as test_environment_title,
        0 as feature_count,
        0 as requirement_count,
        0 as attachment_count,
        false as enable_low,
        false as enable_high,
        false as enable_critical,
        false as is_demo,
        false as is_executed,
        false as is_finished,
        false as is_deleted,
        cast(null as date) as start_on,
        cast(null as date) as end_on,
        cast(null as timestamp) as start_at,
        cast(null as timestamp) as end_at,
        cast(null as {{ dbt.type_string() }}) as test_url,
        cast(null as timestamp) as last_seen_at,
        cast(null as timestamp) as first_missed_at,
        true as is_placeholder
    from customers
)

select
    *,
    is_executed and not is_deleted as is_counted,
    {{ entity_key('product_id', 'unknown') }} as product_key,
    {{ entity_key('section_id', 'none') }} as section_key,
    {{ entity_key('test_environment_id', 'none') }} as test_environment_key,
    {{ entity_key('created_by', '') }} as created_by_key,
    {{ entity_key('submitted_by', '') }} as submitted_by_key
from members
