with source as (
    select * from {{ ref('base_bugs') }}
    where version_age = 1
),

projected as (
    {{ project('source', 'payload', [
        ('title', 'title', 'label'),
        ('severity', 'severity', 'name'),
        ('status', 'status', 'name'),
        ('language', 'language', 'name'),
        ('location', 'location', 'text'),
        ('expected_result', 'expected_result', 'text'),
        ('actual_result', 'actual_result', 'text'),
        ('steps', 'steps', 'lines'),
        ('external_id', 'external_idx', 'label'),
        ('devices', 'devices', 'array'),
        ('comments', 'comments', 'array'),
        ('attachments', 'attachments', 'array'),
        ('reproductions', 'reproductions', 'array'),
        ('auto_accepted', 'auto_accepted', 'boolean'),
        ('known', 'known', 'boolean'),
        ('reported_at', 'reported_at', 'timestamp'),
        ('exported_at', 'exported_at', 'timestamp'),

        ('tester_name', 'author.name', 'name'),

        ('section_id', 'section.id', 'bigint'),

        ('feature_id', 'feature.id', 'bigint'),

        ('app_section_id', 'app_section.id', 'bigint'),

        ('test_feature_id', 'test_feature.id', 'bigint'),

        ('test_environment_id', 'test_environment.id', 'bigint'),

        ('test_case_id', 'test_case.id', 'bigint'),

        ('report_title', 'report.title', 'label'),
        ('report_data', 'report.content.data', 'json'),
    ], keep=['id', 'customer_id', 'test_id', 'loaded_at']) }}
),

renamed as (
    select
        -- keys
        id as bug_id,
        customer_id,
        test_id,
        section_id,
        test_environment_id,
        test_feature_id as reported_test_feature_id,
        coalesce(feature_id, app_section_id) as reported_feature_id,
        test_case_id as reported_test_case_id,

        -- text
        tester_name,
        title,
        severity,
        {{ bug_status() }} as status,
        language,
        location,
        steps,
        expected_result,
        actual_result,
        external_id,
        coalesce(devices, '[]') as devices,
        coalesce(comments, '[]') as comments,
        coalesce(attachments, '[]') as attachments,
        coalesce(reproductions, '[]') as reproductions,
        report_title,
        report_data,
        unfit_columns,

        -- flags
        coalesce({{ bug_status() }} = 'accepted', false) as is_accepted,
        coalesce({{ bug_status() }} = 'auto_accepted', false) as is_auto_accepted,
        coalesce({{ bug_status() }} = 'rejected', false) as is_rejected,
        coalesce({{ bug_status() }} in ('accepted', 'auto_accepted', 'rejected'), false) as is_decided,
        coalesce({{ bug_status() }} = 'forwarded', false) as is_open,
        coalesce(known, false) as is_known,

        -- times
        reported_at,
        exported_at,
        {{ to_utc('loaded_at') }} as loaded_at
    from projected
)

select * from renamed
