with tests as (
    select * from {{ ref('stg_tests') }}
),

deleted as (
    select * from {{ ref('int_deleted_records') }}
    where endpoint = 'tests'
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
        deleted.record_id is not null as is_deleted,
        {{ calendar_day('tests.start_at') }} as start_on,
        {{ calendar_day('tests.end_at') }} as end_on,
        tests.start_at,
        tests.end_at,
        deleted.last_seen_at,
        deleted.first_missed_at
    from tests
    left join deleted
        on
            tests.customer_id = deleted.customer_id
            and tests.test_id = deleted.record_id
)

select * from marked
