-- All marts from the raw tables, as one writes them by hand for DuckDB alone: the floor that dbt's build is
-- compared with. Whoever changes a mart changes it here as well.

drop schema if exists floor cascade;
create schema floor;

-- Texts of JSON as values; what does not fit is null.
create temp macro as_bigint(t) as
    case when regexp_full_match(t, '-?[0-9]{1,19}') then try_cast(t as bigint) end;
create temp macro as_boolean(t) as case t when 'true' then true when 'false' then false end;
create temp macro as_timestamp(t) as
    case
        when regexp_full_match(
            t,
            '[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]'
            '([.][0-9]{1,9})?(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)'
        ) then try_cast(t as timestamptz) at time zone 'UTC'
    end;
-- Blank texts are no names. What is no text is no name either; a title can be a number, and so can any text.
create temp macro as_name(t, type) as
    case
        when
            type = 'VARCHAR'
            and regexp_matches(
                t,
                '[^\x{9}-\x{d}\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200b}\x{2028}\x{2029}\x{202f}\x{205f}'
                '\x{2060}\x{3000}\x{feff}]'
            )
            then t
    end;
create temp macro as_label(t, type) as
    case when type not in ('OBJECT', 'ARRAY') then as_name(t, 'VARCHAR') end;
create temp macro as_text(t, type) as case when type not in ('OBJECT', 'ARRAY') then t end;
create temp macro name_of(j) as as_name(j ->> '$', json_type(j));
create temp macro label_of(j) as as_label(j ->> '$', json_type(j));
create temp macro text_of(j) as as_text(j ->> '$', json_type(j));
create temp macro as_array(t, type) as case when type = 'ARRAY' then t end;
create temp macro length_of(t, type) as coalesce(json_array_length(as_array(t, type)), 0)::bigint;

-- The texts of an array of JSON whose elements are texts, or objects with a text at one of these keys.
create temp macro texts_of(t, key, other_key) as
    list_filter(
        list_transform(
            try(from_json(case when t like '[%' then t end, '["JSON"]')),
            lambda e: case
                when json_type(e) = 'OBJECT' then coalesce(name_of(e -> key), name_of(e -> other_key))
                else label_of(e)
            end
        ),
        lambda e: e is not null
    );

-- What every quality mart says of its bugs.
create temp macro rate(part, whole) as part::double / nullif(whole, 0);
create temp macro rated(counted) as table
    select
        *,
        rate(accepted_bug_count + auto_accepted_bug_count, bug_count) as overall_acceptance_rate,
        rate(accepted_bug_count, bug_count) as active_acceptance_rate,
        rate(auto_accepted_bug_count, accepted_bug_count + auto_accepted_bug_count) as auto_acceptance_rate,
        rate(rejected_bug_count, bug_count) as rejection_rate,
        rate(accepted_bug_count + rejected_bug_count, bug_count) as review_rate,
        rate(known_bug_count, bug_count) as known_bug_rate,
        case
            when
                rejection_rate > 0.35 or auto_acceptance_rate > 0.40 or review_rate < 0.60
                or active_acceptance_rate < 0.20
                then 'critical'
            when
                rejection_rate >= 0.20 or auto_acceptance_rate >= 0.20 or review_rate <= 0.80
                or active_acceptance_rate < 0.35
                then 'warning'
            when bug_count > 0 then 'healthy'
        end as health
    from query_table(counted);

-- What the severity of a bug says.
create temp macro bug_type(severity) as
    case
        when severity in ('low', 'high', 'critical') then 'functional'
        when severity in ('visual', 'content', 'custom') then severity
    end;
create temp macro severity_level(severity) as
    case when severity in ('low', 'high', 'critical') then severity end;

-- What failed, was blocked or passed most decides.
create temp macro execution_status(failed, blocked, passed, bugs) as
    case
        when failed > 0 or bugs > 0 then 'failed'
        when blocked > 0 then 'blocked'
        when passed > 0 then 'passed'
        else 'not_tested'
    end;

-- The calendar, and the day of a time in it.
create temp macro first_day() as date '2010-01-01';
create temp macro last_day() as make_date(year(current_date) + 2, 12, 31);
create temp macro placeholder_day() as date '1900-01-01';
create temp macro calendar_day(t) as
    case
        when t::date between first_day() and last_day() then t::date
        when t is not null then placeholder_day()
    end;

-- The scope that a record is read in.
create temp macro scope_of(customer_id, endpoint, product_id, test_id) as
    concat_ws('/', customer_id, endpoint, coalesce(product_id::text, '-'), coalesce(test_id::text, '-'));

-- All versions that came with a completed load, newest first, and where they stand.
create temp table versions as
with landed as (
    select 'products' as endpoint, rowid as place, * from testio_raw.products
    union all by name
    select 'features' as endpoint, rowid as place, * from testio_raw.features
    union all by name
    select 'user_stories' as endpoint, rowid as place, * from testio_raw.user_stories
    union all by name
    select 'test_environments' as endpoint, rowid as place, * from testio_raw.test_environments
    union all by name
    select 'tests' as endpoint, rowid as place, * from testio_raw.tests
    union all by name
    select 'test_details' as endpoint, rowid as place, * from testio_raw.test_details
    union all by name
    select 'bugs' as endpoint, rowid as place, * from testio_raw.bugs
    union all by name
    select 'executions' as endpoint, rowid as place, * from testio_raw.executions
    union all by name
    select 'test_case_tests' as endpoint, rowid as place, * from testio_raw.test_case_tests
    union all by name
    select 'test_case_results' as endpoint, rowid as place, * from testio_raw.test_case_results
)

select
    endpoint,
    place,
    customer_id,
    id as record_id,
    product_id,
    test_id,
    _dlt_load_id as load_id,
    loaded_at at time zone 'UTC' as loaded_at,
    row_number() over (
        partition by endpoint, customer_id, id
        order by
            loaded_at desc,
            case when endpoint not in ('test_details', 'test_case_tests') then product_id end,
            content_hash desc,
            _dlt_load_id desc
    ) as age
from landed
where _dlt_load_id in (select load_id from testio_raw._dlt_loads where status = 0);

create temp macro newest(of_endpoint) as table
    select place from versions where endpoint = of_endpoint and age = 1;

-- All reads that landed.
create temp table reads as
select
    customer_id,
    endpoint,
    product_id,
    test_id,
    scope_of(customer_id, endpoint, product_id, test_id) as scope,
    _dlt_load_id as load_id,
    is_complete,
    from_json(ids, '["BIGINT"]') as ids,
    read_at at time zone 'UTC' as read_at
from testio_raw.ledger
where
    _dlt_load_id in (select load_id from testio_raw._dlt_loads where status = 0)
    and endpoint <> 'reject_reasons';

create temp table complete_reads as
select scope, max(read_at) as read_at
from reads
where is_complete
group by scope;

-- What the last complete read of each scope listed, or a later one.
create temp table listed as
select
    customer_id,
    endpoint,
    product_id,
    unnest(ids) as record_id,
    case endpoint when 'tests' then record_id else test_id end as test_id,
    reads.read_at
from reads
left join complete_reads using (scope)
where reads.read_at >= coalesce(complete_reads.read_at, reads.read_at);

-- A test is read with its product's tests, and by itself: the later read decides.
create temp table gone_products as
select customer_id, record_id as product_id
from versions
anti join listed using (endpoint, customer_id, record_id)
where endpoint = 'products' and age = 1;

create temp table gone_tests as
with listed_tests as (
    select
        customer_id,
        record_id,
        max(read_at) filter (where product_id is not null) as by_product_at,
        max(read_at) filter (where product_id is null) as alone_at
    from listed
    anti join gone_products using (customer_id, product_id)
    where endpoint = 'tests'
    group by all
)

select tests.customer_id, tests.record_id as test_id
from versions as tests
left join listed_tests using (customer_id, record_id)
left join complete_reads as of_product
    on of_product.scope = scope_of(tests.customer_id, 'tests', tests.product_id, null)
left join complete_reads as of_test
    on of_test.scope = scope_of(tests.customer_id, 'tests', null, tests.record_id)
left join gone_products using (customer_id, product_id)
where
    tests.endpoint = 'tests'
    and tests.age = 1
    and (
        by_product_at is null
        or (alone_at is null and by_product_at < of_test.read_at)
    )
    and (
        alone_at is null
        or alone_at < of_product.read_at
        or gone_products.product_id is not null
    );

-- What is there: what belongs to a product or test that is gone is gone as well.
create temp table present as
select distinct listed.endpoint, listed.customer_id, listed.record_id
from listed
anti join gone_products using (customer_id, product_id)
anti join gone_tests using (customer_id, test_id);

-- Of what several products list, the newest version in the one with the lowest id that still lists it.
create temp macro newest_listed(of_endpoint) as table
    with of_products as (
        select * from versions
        where endpoint = of_endpoint
        qualify row_number() over (partition by customer_id, record_id, product_id order by age) = 1
    ),

    by_products as (
        select distinct customer_id, product_id, record_id
        from listed
        anti join gone_products using (customer_id, product_id)
        where endpoint = of_endpoint
    )

    select place
    from of_products
    left join by_products using (customer_id, product_id, record_id)
    qualify row_number() over (
        partition by customer_id, record_id order by by_products.record_id is null, product_id
    ) = 1;

-- What is not there any more, when it was seen last and when it was missed first.
create temp table deleted as
with gone as (
    select
        *,
        scope_of(customer_id, endpoint, product_id, test_id) as scope,
        case endpoint when 'tests' then scope_of(customer_id, endpoint, null, record_id) end as alone_scope
    from versions
    anti join present using (endpoint, customer_id, record_id)
    where age = 1
),

scopes as (
    select endpoint, customer_id, record_id, scope from gone
    union
    select endpoint, customer_id, record_id, alone_scope from gone where alone_scope is not null
    union
    select endpoint, customer_id, record_id, scope_of(customer_id, endpoint, product_id, null)
    from versions
    semi join gone using (endpoint, customer_id, record_id)
    where endpoint in ('features', 'user_stories', 'test_environments')
),

-- Most reads list the same as the one before.
lists as (
    select scope, ids, max(read_at) as read_at
    from reads
    semi join scopes using (scope)
    group by all
),

sightings as (
    select endpoint, customer_id, record_id, scope, max(read_at) as read_at
    from scopes
    inner join (select scope, unnest(ids) as record_id, read_at from lists) as ids using (scope, record_id)
    group by all
),

seen as (
    select endpoint, customer_id, record_id, max(read_at) as read_at
    from sightings
    group by all
),

missed as (
    select seen.endpoint, seen.customer_id, seen.record_id, min(reads.read_at) as read_at
    from seen
    inner join scopes using (endpoint, customer_id, record_id)
    inner join reads on scopes.scope = reads.scope and seen.read_at < reads.read_at
    left join sightings
        on
            scopes.endpoint = sightings.endpoint
            and scopes.customer_id = sightings.customer_id
            and scopes.record_id = sightings.record_id
            and scopes.scope = sightings.scope
    where reads.is_complete and (seen.endpoint = 'tests' or seen.read_at = sightings.read_at)
    group by all
),

itself as (
    select
        gone.endpoint,
        gone.customer_id,
        gone.record_id,
        gone.product_id,
        gone.test_id,
        coalesce(seen.read_at, gone.loaded_at) as last_seen_at,
        missed.read_at as first_missed_at
    from gone
    left join seen using (endpoint, customer_id, record_id)
    left join missed using (endpoint, customer_id, record_id)
),

with_product as (
    select itself.* replace (least(itself.first_missed_at, products.first_missed_at) as first_missed_at)
    from itself
    left join itself as products
        on
            products.endpoint = 'products'
            and itself.customer_id = products.customer_id
            and itself.product_id = products.record_id
)

select with_product.* replace (least(with_product.first_missed_at, tests.first_missed_at) as first_missed_at)
from with_product
left join with_product as tests
    on
        tests.endpoint = 'tests'
        and with_product.customer_id = tests.customer_id
        and with_product.test_id = tests.record_id;

create temp macro deleted_of(of_endpoint) as table
    select customer_id, record_id, last_seen_at, first_missed_at from deleted where endpoint = of_endpoint;

-- The newest version of each record, its payload parsed once.
create temp table products as
select
    id as product_id,
    customer_id,
    as_bigint(t[1]) as default_section_id,
    as_name(t[2], y[2]) as product_name,
    as_name(t[3], y[3]) as product_type,
    as_text(t[4], y[4]) as description
from (
    select
        id,
        customer_id,
        ['$.default_section_id', '$.name', '$.type', '$.description'] as paths,
        try(json_extract_string(payload, paths)) as t,
        try(json_type(payload, paths)) as y
    from testio_raw.products
    semi join newest('products') as newest on products.rowid = newest.place
);

create temp table features as
select
    id as feature_id,
    customer_id,
    product_id,
    as_label(t[1], y[1]) as title,
    as_text(t[2], y[2]) as description,
    as_text(t[3], y[3]) as howtofind,
    coalesce(to_json(texts_of(as_array(t[4], y[4]), 'path', 'title'))::text, '[]') as user_stories,
    coalesce(nullif(section_ids, '[]'), as_array(t[5], y[5]), '[]') as section_ids
from (
    select
        *,
        ['$.title', '$.description', '$.howtofind', '$.user_stories', '$.section_ids'] as paths,
        try(json_extract_string(payload, paths)) as t,
        try(json_type(payload, paths)) as y
    from testio_raw.features
    semi join newest_listed('features') as newest on features.rowid = newest.place
);

create temp table user_stories as
select
    id as user_story_id,
    customer_id,
    product_id,
    as_name(t[1], y[1]) as path,
    as_label(t[2], y[2]) as title,
    coalesce(section_ids, '[]') as section_ids
from (
    select *, ['$.path', '$.title'] as paths,
    try(json_extract_string(payload, paths)) as t,
    try(json_type(payload, paths)) as y
    from testio_raw.user_stories
    semi join newest_listed('user_stories') as newest on user_stories.rowid = newest.place
);

create temp table test_environments as
select
    id as test_environment_id,
    customer_id,
    product_id,
    as_label(t[1], y[1]) as title,
    as_text(t[2], y[2]) as url,
    as_name(t[3], y[3]) as access_type,
    coalesce(as_boolean(t[4]), false) as has_proxy,
    coalesce(as_boolean(t[5]), false) as allow_orders
from (
    select
        *,
        ['$.title', '$.url', '$.access_type', '$.proxy', '$.allow_orders'] as paths,
        try(json_extract_string(payload, paths)) as t,
        try(json_type(payload, paths)) as y
    from testio_raw.test_environments
    semi join newest_listed('test_environments') as newest on test_environments.rowid = newest.place
);

create temp table tests as
select
    id as test_id,
    customer_id,
    coalesce(product_id, as_bigint(t[21])) as product_id,
    as_bigint(t[24]) as section_id,
    as_bigint(t[26]) as test_environment_id,
    coalesce(as_label(t[1], y[1]), as_label(t[2], y[2])) as title,
    as_name(t[3], y[3]) as status,
    as_name(t[4], y[4]) as given_type,
    case
        when given_type = 'external' then 'custom'
        when as_name(t[4], 'VARCHAR') is null then 'test_case'
        else given_type
    end as testing_type,
    as_name(t[5], y[5]) as review_status,
    as_name(t[6], y[6]) as report_language,
    as_name(t[7], y[7]) as created_by,
    as_name(t[8], y[8]) as submitted_by,
    coalesce(as_text(t[16], y[16]), as_text(t[15], y[15])) as goal,
    coalesce(as_text(t[18], y[18]), as_text(t[17], y[17])) as instructions,
    coalesce(as_text(t[20], y[20]), as_text(t[19], y[19])) as out_of_scope,
    as_name(t[22], y[22]) as product_name,
    as_name(t[23], y[23]) as product_type,
    as_name(t[25], y[25]) as section_name,
    as_label(t[27], y[27]) as test_environment_title,
    try(from_json(as_array(t[28], y[28]), '[
        {
            "id": "VARCHAR", "feature_id": "VARCHAR", "title": "JSON", "user_stories": "JSON"
        }
    ]')) as features,
    try(from_json(as_array(t[29], y[29]), '[
        {
            "id": "VARCHAR", "category": {"name": "JSON"}, "vendor": {"name": "JSON"},
            "operating_system": {"name": "JSON"}, "min_operating_system_version": {"name": "JSON"},
            "max_operating_system_version": {"name": "JSON"}, "devices": "JSON",
            "browsers": [{"name": "JSON"}], "browser_based": "VARCHAR", "gaming": "VARCHAR"
        }
    ]')) as requirements,
    length_of(t[30], y[30]) as attachment_count,
    coalesce(as_boolean(t[9]), false) as is_demo,
    coalesce(as_boolean(t[10]), false) as enable_low,
    coalesce(as_boolean(t[11]), false) as enable_high,
    coalesce(as_boolean(t[12]), false) as enable_critical,
    coalesce(status in ('running', 'locked', 'archived', 'customer_finalized'), false) as is_executed,
    as_timestamp(t[13]) as start_at,
    calendar_day(start_at) as start_on,
    as_timestamp(t[14]) as end_at,
    calendar_day(end_at) as end_on,
    loaded_at
from (
    select
        *,
        [
            '$.title', '$.test_title', '$.status', '$.testing_type', '$.review_status', '$.report_language',
            '$.created_by', '$.submitted_by', '$.demo', '$.enable_low', '$.enable_high', '$.enable_critical',
            '$.start_at', '$.end_at', '$.goal', '$.goal_text', '$.instructions', '$.instructions_text',
            '$.out_of_scope', '$.out_of_scope_text', '$.product.id', '$.product.name', '$.product.type',
            '$.section.id', '$.section.name', '$.test_environment.id', '$.test_environment.title',
            '$.features', '$.requirements', '$.attachments'
        ] as paths,
        try(json_extract_string(payload, paths)) as t,
        try(json_type(payload, paths)) as y
    from testio_raw.tests
    semi join newest('tests') as newest on tests.rowid = newest.place
);

create temp table executions as
select
    id as execution_id,
    customer_id,
    test_id,
    user_story_id,
    user_story_version_id,
    as_bigint(t[6]) as test_environment_id,
    as_name(t[3], y[3]) as tester_name,
    as_name(t[1], y[1]) as status,
    as_text(t[2], y[2]) as comment,
    try(from_json(as_array(t[4], y[4]), '[
        {
            "category": {"name": "JSON"}, "vendor": {"name": "JSON"}, "device": {"name": "JSON"},
            "operating_system": {"name": "JSON"}, "operating_system_version": {"name": "JSON"}
        }
    ]')) as devices,
    as_timestamp(t[5]) as executed_at,
    calendar_day(executed_at) as executed_on
from (
    select
        *,
        [
            '$.status', '$.comment', '$.executed_by', '$.device_reports', '$.executed_at',
            '$.test_cycle.test_environment.id'
        ] as paths,
        try(json_extract_string(payload, paths)) as t,
        try(json_type(payload, paths)) as y
    from testio_raw.executions
    semi join newest('executions') as newest on executions.rowid = newest.place
);

create temp table test_case_results as
select
    id as test_case_result_id,
    customer_id,
    test_id,
    as_bigint(t[1]) as test_case_id,
    as_name(t[2], y[2]) as tester_name,
    as_name(t[3], y[3]) as status,
    as_text(t[4], y[4]) as comment,
    coalesce(status in ('passed', 'failed', 'blocked'), false) as has_result,
    as_timestamp(t[5]) as executed_at,
    calendar_day(executed_at) as executed_on
from (
    select
        *,
        ['$.test_case_id', '$.executed_by', '$.status', '$.comment', '$.executed_at'] as paths,
        try(json_extract_string(payload, paths)) as t,
        try(json_type(payload, paths)) as y
    from testio_raw.test_case_results
    semi join newest('test_case_results') as newest on test_case_results.rowid = newest.place
);

create temp table bugs as
select
    id as bug_id,
    customer_id,
    test_id,
    as_bigint(t[18]) as section_id,
    as_bigint(t[22]) as test_environment_id,
    as_bigint(t[21]) as reported_test_feature_id,
    coalesce(as_bigint(t[19]), as_bigint(t[20])) as reported_feature_id,
    as_name(t[17], y[17]) as tester_name,
    as_label(t[1], y[1]) as title,
    as_name(t[2], y[2]) as severity,
    coalesce(as_name(t[3], y[3]) = 'accepted' and as_boolean(t[13]), false) as is_auto_accepted,
    case when is_auto_accepted then 'auto_accepted' else as_name(t[3], y[3]) end as status,
    as_name(t[4], y[4]) as language,
    as_text(t[5], y[5]) as location,
    case y[8]
        when 'ARRAY' then array_to_string(
            case
                when regexp_matches(t[8][2:], '[\[{]') and len(list_filter(
                    from_json(t[8], '["JSON"]'), lambda e: json_type(e) in ('OBJECT', 'ARRAY')
                )) > 0 then null
                else list_filter(json_extract_string(t[8], '$[*]'), lambda e: e is not null)
            end,
            chr(10)
        )
        else as_text(t[8], y[8])
    end as steps,
    as_text(t[6], y[6]) as expected_result,
    as_text(t[7], y[7]) as actual_result,
    as_label(t[9], y[9]) as external_id,
    try(from_json(as_array(t[10], y[10]), '[
        {
            "category": {"name": "JSON"}, "vendor": {"name": "JSON"}, "device": {"name": "JSON"},
            "operating_system": {"name": "JSON"}, "operating_system_version": {"name": "JSON"},
            "browsers": [{"name": "JSON"}]
        }
    ]')) as devices,
    length_of(t[11], y[11]) as comment_count,
    length_of(t[12], y[12]) as attachment_count,
    case when status = 'rejected' then as_array(t[11], y[11]) end as comments,
    as_label(t[23], y[23]) as report_title,
    t[24] as report_data,
    coalesce(as_boolean(t[14]), false) as is_known,
    as_timestamp(t[15]) as reported_at,
    calendar_day(reported_at) as reported_on,
    as_timestamp(t[16]) as exported_at,
    calendar_day(exported_at) as exported_on,
    _dlt_load_id as load_id,
    loaded_at at time zone 'UTC' as loaded_at
from (
    select
        *,
        [
            '$.title', '$.severity', '$.status', '$.language', '$.location', '$.expected_result',
            '$.actual_result', '$.steps', '$.external_idx', '$.devices', '$.comments', '$.attachments',
            '$.auto_accepted', '$.known', '$.reported_at', '$.exported_at', '$.author.name', '$.section.id',
            '$.feature.id', '$.app_section.id', '$.test_feature.id', '$.test_environment.id',
            '$.report.title', '$.report.content.data'
        ] as paths,
                try(json_extract_string(payload, paths)) as t,
                try(json_type(payload, paths)) as y
    from testio_raw.bugs
    semi join newest('bugs') as newest on bugs.rowid = newest.place
);

-- Of test features with the same id, the one that landed last stays; without a known feature, none does.
create temp table all_test_features as
with elements as (
    select
        test_id,
        customer_id,
        loaded_at,
        generate_subscripts(features, 1) as feature_number,
        unnest(features) as feature
    from tests
)

select
    as_bigint(feature.id) as test_feature_id,
    elements.customer_id,
    test_id,
    as_bigint(feature.feature_id) as feature_id,
    label_of(feature.title) as title,
    texts_of(feature.user_stories, 'path', 'title') as user_stories,
    test_feature_id is not null and features.feature_id is not null as is_known,
    is_known and row_number() over (
        partition by elements.customer_id, test_feature_id, is_known
        order by listed_tests.record_id is null, test_id, feature_number
    ) = 1 as is_kept
from elements
left join (select distinct customer_id, record_id from listed where endpoint = 'tests') as listed_tests
    on elements.customer_id = listed_tests.customer_id and elements.test_id = listed_tests.record_id
left join features
    on elements.customer_id = features.customer_id and as_bigint(feature.feature_id) = features.feature_id;

create temp table test_features as from all_test_features where is_kept;

-- Why a bug was rejected is what the first comment with the text of a reason says.
create temp table rejection_reasons as
with reasons as (
    select
        customer_id,
        id as reject_reason,
        position,
        trim(replace(text_of(try(json_extract(payload, '$.default_comment'))), chr(13), '')) as default_comment
    from testio_raw.reject_reasons
    where _dlt_load_id in (select load_id from testio_raw._dlt_loads where status = 0)
    qualify row_number() over (
        partition by customer_id, id order by loaded_at desc, content_hash desc, _dlt_load_id desc
    ) = 1
),

all_comments as (
    select
        bug_id,
        customer_id,
        generate_subscripts(from_json(comments, '["JSON"]'), 1) as comment_number,
        unnest(try(from_json(comments, '[{"body": "JSON", "created_at": "VARCHAR"}]'))) as comment
    from bugs
    where status = 'rejected'
)

select
    customer_id,
    bug_id,
    arg_min(
        reject_reason,
        (
            coalesce(as_timestamp(comment.created_at), 'infinity'),
            comment_number,
            reasons.position,
            reject_reason
        )
    ) as rejection_reason
from all_comments
inner join reasons using (customer_id)
where default_comment <> '' and contains(replace(text_of(comment.body), chr(13), ''), default_comment)
group by all;

-- When the bugs of a test were read, and first of all.
create temp table bug_reads as
select
    customer_id,
    test_id,
    load_id,
    min(read_at) as read_at,
    min(min(read_at) filter (where is_complete)) over (partition by customer_id, test_id) as first_read_of_test_at
from reads
where endpoint = 'bugs' and product_id is null
group by customer_id, test_id, load_id;

create temp table first_bug_reads as
select distinct customer_id, test_id, first_read_of_test_at as first_read_at
from bug_reads;

-- The versions of bugs that have several: what they say, and when each was first seen.
create temp table bug_versions as
with landed as (
    select versions.*
    from versions
    semi join (from versions where endpoint = 'bugs' and age = 2) as changed using (customer_id, record_id)
    where versions.endpoint = 'bugs'
),

parsed as (
    select
        rowid as place,
        ['$.severity', '$.status', '$.auto_accepted', '$.known'] as paths,
        try(json_extract_string(payload, paths)) as t,
        try(json_type(payload, paths)) as y
    from testio_raw.bugs
    where rowid in (select place from landed)
),

said as (
    select
        landed.customer_id,
        landed.record_id as bug_id,
        landed.loaded_at,
        as_name(t[1], y[1]) as severity,
        as_name(t[2], y[2]) as given_status,
        case when given_status = 'accepted' and as_boolean(t[3]) then 'auto_accepted' else given_status end as status,
        coalesce(as_boolean(t[4]), false)::text as is_known,
        min(landed.test_id) as test_id,
        min(coalesce(bug_reads.read_at, landed.loaded_at)) as first_seen_at,
        least(min(first_bug_reads.first_read_at), first_seen_at) as watched_since_at
    from landed
    inner join parsed using (place)
    left join bug_reads
        on
            landed.customer_id = bug_reads.customer_id
            and landed.test_id is not distinct from bug_reads.test_id
            and landed.load_id = bug_reads.load_id
    left join first_bug_reads
        on
            landed.customer_id = first_bug_reads.customer_id
            and landed.test_id is not distinct from first_bug_reads.test_id
    group by all
)

select
    *,
    row_number() over bug as version_number,
    lag({'status': status, 'severity': severity, 'is_known': is_known, 'loaded_at': loaded_at}) over bug
        as previous
from said
window bug as (partition by customer_id, bug_id order by loaded_at);

create temp table bug_triage as
select
    customer_id,
    bug_id,
    min(first_seen_at) filter (where status <> 'forwarded') as triaged_at,
    min(watched_since_at) as watched_since_at,
    count(*) filter (
        where version_number > 1 and coalesce(previous.status, '') <> coalesce(status, '')
    ) as status_change_count
from bug_versions
group by all;

create table floor.fct_bug_status_changes as
with changed as (
    select
        *,
        unnest([
            {'field': 'status', 'from_value': previous.status, 'to_value': status},
            {'field': 'severity', 'from_value': previous.severity, 'to_value': severity},
            {'field': 'known', 'from_value': previous.is_known, 'to_value': is_known}
        ]) as change
    from bug_versions
    where version_number > 1
),

seen as (
    select customer_id, test_id, unnest(ids) as bug_id, read_at
    from reads
    semi join changed using (customer_id, test_id)
    where endpoint = 'bugs'
),

-- A read that listed the bug and landed no version of it has seen it as it was.
last_seen as (
    select bug_id, customer_id, version_number, max(seen.read_at) as read_at
    from bug_versions
    inner join seen using (customer_id, test_id, bug_id)
    where bug_versions.loaded_at > seen.read_at
    group by all
)

select
    changed.bug_id,
    changed.customer_id,
    bugs.test_id,
    changed.version_number,
    changed.change.field as changed_field,
    changed.change.from_value,
    changed.change.to_value,
    coalesce(last_seen.read_at, changed.previous.loaded_at) as last_seen_before_at,
    changed.first_seen_at as first_seen_after_at
from changed
inner join bugs using (customer_id, bug_id)
left join last_seen using (customer_id, bug_id, version_number)
where coalesce(change.from_value, '') <> coalesce(change.to_value, '');

create table floor.fct_bugs as
select
    bugs.* exclude (devices, comments, report_title, report_data, load_id, loaded_at),
    tests.product_id,
    test_features.test_feature_id,
    test_features.feature_id,
    bug_type(bugs.severity) as bug_type,
    severity_level(bugs.severity) as severity_level,
    (case bugs.severity when 'critical' then 5 when 'high' then 3 else 1 end)::decimal(18, 4) as severity_weight,
    rejection_reasons.rejection_reason,
    case
        when test_features.test_feature_id is not null then null
        when bugs.reported_test_feature_id is null then 'no_test_feature'
        when rejected.test_feature_id is not null then 'rejected_test_feature'
        else 'unknown_test_feature'
    end as unattributed_because,
    if(
        bug_triage.bug_id is null,
        case when bugs.status <> 'forwarded' then coalesce(bug_reads.read_at, bugs.loaded_at) end,
        bug_triage.triaged_at
    ) as first_triaged_at,
    case
        when
            first_triaged_at
            > if(bug_triage.bug_id is null, first_bug_reads.first_read_at, bug_triage.watched_since_at)
            and bugs.reported_at <= first_triaged_at
            then date_diff('second', bugs.reported_at, first_triaged_at)::double / 86400
    end as days_to_first_triage,
    coalesce(bug_triage.status_change_count, 0) as status_change_count,
    coalesce(len(bugs.devices), 0) as device_count
from bugs
semi join present
    on
        present.endpoint = 'bugs'
        and bugs.customer_id = present.customer_id
        and bugs.bug_id = present.record_id
inner join tests using (customer_id, test_id)
left join test_features
    on
        bugs.customer_id = test_features.customer_id
        and bugs.reported_test_feature_id = test_features.test_feature_id
left join (select distinct customer_id, test_feature_id from all_test_features where not is_kept) as rejected
    on
        bugs.customer_id = rejected.customer_id
        and bugs.reported_test_feature_id = rejected.test_feature_id
left join rejection_reasons
    on bugs.customer_id = rejection_reasons.customer_id and bugs.bug_id = rejection_reasons.bug_id
left join bug_triage on bugs.customer_id = bug_triage.customer_id and bugs.bug_id = bug_triage.bug_id
left join bug_reads using (customer_id, test_id, load_id)
left join first_bug_reads using (customer_id, test_id);

create table floor.fct_deleted_bugs as
select
    bugs.* exclude (
        test_id, language, location, steps, expected_result, actual_result, devices, comments, comment_count,
        attachment_count, report_title, report_data, load_id, loaded_at
    ),
    tests.product_id,
    tests.test_id,
    bug_type(bugs.severity) as bug_type,
    severity_level(bugs.severity) as severity_level,
    deleted_tests.record_id is not null as is_test_deleted,
    deleted.last_seen_at,
    deleted.first_missed_at
from bugs
inner join deleted_of('bugs') as deleted
    on bugs.customer_id = deleted.customer_id and bugs.bug_id = deleted.record_id
left join tests on bugs.customer_id = tests.customer_id and bugs.test_id = tests.test_id
left join deleted_of('tests') as deleted_tests
    on tests.customer_id = deleted_tests.customer_id and tests.test_id = deleted_tests.record_id;

create table floor.custom_reports as
with reports as (
    select
        bug_id,
        customer_id,
        fct_bugs.product_id,
        fct_bugs.test_id,
        bugs.report_title,
        bugs.report_data,
        try_cast(report_data as json) as document,
        try(from_json(document, '["JSON"]')) as elements
    from bugs
    inner join floor.fct_bugs using (customer_id, bug_id)
    where report_data is not null
),

pairs as (
    select
        * exclude elements,
        generate_subscripts(elements, 1) as place,
        unnest(elements) as pair,
        label_of(pair -> 'key') as pair_key
    from reports
    where len(list_filter(elements, lambda e: label_of(e -> 'key') is not null)) > 0
),

entries as (
    select
        customer_id,
        bug_id,
        0 as place,
        members.key as entry_key,
        members.value ->> '$' as entry_value
    from reports, json_each(case when json_type(document) = 'OBJECT' then document end) as members
    union all
    select
        customer_id,
        bug_id,
        place,
        pair_key,
        case
            when json_type(pair) = 'NULL' then null
            when pair_key is not null and json_exists(pair, '$.value') then pair ->> 'value'
            else pair::text
        end
    from pairs
)

select
    reports.* exclude (report_data, document, elements),
    coalesce(as_name(entry_key, 'VARCHAR'), 'data') as report_key,
    if(entries.bug_id is null, report_data, entry_value) as report_value,
    row_number() over (
        partition by customer_id, bug_id order by place, report_key, report_value
    ) as entry_number
from reports
left join entries using (customer_id, bug_id)
where entries.bug_id is not null or report_data <> '{}';

-- The platforms of each bug, each once; a bug without a device stays, and so does a device without a browser.
create table floor.bridge_bug_platforms as
with devices as (
    select
        customer_id,
        bug_id,
        fct_bugs.product_id,
        fct_bugs.test_id,
        generate_subscripts(if(len(devices) > 0, devices, [null]), 1) as device_number,
        unnest(if(len(devices) > 0, devices, [null])) as device,
        len(devices) > 1 as has_several_devices
    from bugs
    inner join floor.fct_bugs using (customer_id, bug_id)
),

with_browsers as (
    select
        *,
        list_filter(device.browsers, lambda browser: name_of(browser.name) is not null) as named_browsers,
        has_several_devices or len(named_browsers) > 1 as has_several
    from devices
),

platforms as (
    select
        bug_id,
        customer_id,
        product_id,
        test_id,
        coalesce(name_of(device.category.name), 'unknown') as device_category,
        coalesce(name_of(device.vendor.name), 'unknown') as device_vendor,
        coalesce(name_of(device.device.name), 'unknown') as device_name,
        coalesce(name_of(device.operating_system.name), 'unknown') as operating_system,
        coalesce(label_of(device.operating_system_version.name), 'unknown') as operating_system_version,
        device_number,
        generate_subscripts(if(len(named_browsers) > 0, named_browsers, [null]), 1) as browser_number,
        coalesce(name_of(unnest(if(len(named_browsers) > 0, named_browsers, [null])).name), 'unknown') as browser,
        has_several
    from with_browsers
),

each_once as (
    select
        * exclude (device_number, browser_number, has_several),
        min(device_number) as device_number,
        min(browser_number) as browser_number
    from platforms
    where has_several
    group by all
)

select * exclude (device_number, browser_number, has_several), 1::bigint as platform_number
from platforms
where has_several is not true
union all by name
select
    * exclude (device_number, browser_number),
    row_number() over (
        partition by customer_id, bug_id order by device_number, browser_number, device_name, browser
    ) as platform_number
from each_once;

create table floor.dim_tests as
select
    tests.* exclude (given_type, product_name, product_type, features, requirements, loaded_at),
    coalesce(len(features), 0) as feature_count,
    coalesce(len(requirements), 0) as requirement_count,
    deleted.record_id is not null as is_deleted,
    deleted.last_seen_at,
    deleted.first_missed_at
from tests
left join deleted_of('tests') as deleted
    on tests.customer_id = deleted.customer_id and tests.test_id = deleted.record_id;

create table floor.dim_features as
select features.*, deleted.record_id is not null as is_deleted, deleted.last_seen_at, deleted.first_missed_at
from features
left join deleted_of('features') as deleted
    on features.customer_id = deleted.customer_id and features.feature_id = deleted.record_id;

-- A test can name a product that was in no list yet.
create table floor.dim_products as
select
    products.* exclude default_section_id,
    false as is_inferred,
    deleted.record_id is not null as is_deleted,
    deleted.last_seen_at,
    deleted.first_missed_at
from products
left join deleted_of('products') as deleted
    on products.customer_id = deleted.customer_id and products.product_id = deleted.record_id
union all by name
select product_id, customer_id, product_name, product_type, true as is_inferred, false as is_deleted
from tests
anti join products using (customer_id, product_id)
where product_id is not null
qualify row_number() over (partition by customer_id, product_id order by loaded_at desc, test_id) = 1;

-- The sections that any version of a product listed, and those that only a test or bug names.
create table floor.dim_sections as
with landed as (
    select
        products.id as product_id,
        products.customer_id,
        products.loaded_at,
        max(products.loaded_at) over (partition by products.customer_id, products.id) as newest_at,
        try(json_extract(payload, ['$.sections_with_default', '$.sections'])) as lists
    from testio_raw.products
    where rowid in (select place from versions where endpoint = 'products')
),

elements as (
    select * exclude list, unnest(from_json(list, '[{"id": "VARCHAR", "name": "JSON"}]')) as section
    from (select * exclude lists, unnest(lists) as list from landed)
),

listed_sections as (
    select
        as_bigint(section.id) as section_id,
        customer_id,
        product_id,
        name_of(section.name) as section_name,
        false as is_inferred,
        loaded_at < newest_at as is_unlisted
    from elements
    where section_id is not null
    qualify row_number() over (
        partition by customer_id, section_id
        order by loaded_at < newest_at, product_id, loaded_at desc, section_name
    ) = 1
),

mentions as (
    select customer_id, section_id, product_id, section_name
    from tests
    union all by name
    select distinct bugs.customer_id, bugs.section_id, tests.product_id
    from bugs
    left join tests using (customer_id, test_id)
    where bugs.section_id is not null
),

all_sections as (
    from listed_sections
    union all by name
    select
        section_id,
        customer_id,
        max(product_id) as product_id,
        max(section_name) as section_name,
        true as is_inferred,
        false as is_unlisted
    from mentions
    anti join listed_sections using (customer_id, section_id)
    where section_id is not null
    group by all
)

select
    all_sections.* exclude is_unlisted,
    coalesce(all_sections.section_id = products.default_section_id, false) as is_default,
    all_sections.is_unlisted or deleted.record_id is not null as is_deleted
from all_sections
left join products using (customer_id, product_id)
left join deleted_of('products') as deleted
    on all_sections.customer_id = deleted.customer_id and all_sections.product_id = deleted.record_id;

-- Tests, bugs and executions can name an environment that left before anybody read the list.
create table floor.dim_test_environments as
with mentions as (
    select customer_id, product_id, test_environment_id, test_environment_title as title
    from tests
    union all by name
    select tests.product_id, of_tests.customer_id, of_tests.test_environment_id
    from (
        select distinct customer_id, test_id, test_environment_id from bugs
        union
        select distinct customer_id, test_id, test_environment_id from executions
    ) as of_tests
    left join tests using (customer_id, test_id)
)

select
    environments.*,
    false as is_inferred,
    deleted.record_id is not null as is_deleted,
    deleted.last_seen_at,
    deleted.first_missed_at
from test_environments as environments
left join deleted_of('test_environments') as deleted
    on
        environments.customer_id = deleted.customer_id
        and environments.test_environment_id = deleted.record_id
union all by name
select
    test_environment_id,
    customer_id,
    max(product_id) as product_id,
    max(title) as title,
    true as is_inferred,
    false as is_deleted
from mentions
anti join test_environments using (customer_id, test_environment_id)
where test_environment_id is not null
group by all;

-- What a test's details say of its test cases; of those with the same id, the first stays.
create table floor.fct_test_case_results as
with test_cases as (
    select
        id as test_id,
        customer_id,
        unnest(try(from_json(json_extract(payload, '$.test_cases'), '[
            {"id": "VARCHAR", "feature_id": "VARCHAR", "title": "JSON"}
        ]'))) as test_case,
        generate_subscripts(try(from_json(json_extract(payload, '$.test_cases'), '["JSON"]')), 1) as place
    from testio_raw.test_case_tests
    semi join newest('test_case_tests') as newest on test_case_tests.rowid = newest.place
),

first_test_cases as (
    select
        customer_id,
        test_id,
        as_bigint(test_case.id) as test_case_id,
        as_bigint(test_case.feature_id) as feature_id,
        label_of(test_case.title) as test_case_title
    from test_cases
    qualify row_number() over (partition by customer_id, test_id, test_case_id order by place) = 1
)

select
    results.*,
    tests.product_id,
    tests.test_environment_id,
    first_test_cases.feature_id,
    first_test_cases.test_case_title
from test_case_results as results
semi join present
    on
        present.endpoint = 'test_case_results'
        and results.customer_id = present.customer_id
        and results.test_case_result_id = present.record_id
left join tests using (customer_id, test_id)
left join first_test_cases using (customer_id, test_id, test_case_id);

-- The user stories of each test's features, as its details tell.
create temp table story_results as
with features as (
    select
        customer_id,
        test_id,
        generate_subscripts(features, 1) as feature_number,
        unnest(features) as feature
    from (
        select
            customer_id,
            id as test_id,
            try(json_transform(payload, '{
                "features": [
                    {
                        "id": "VARCHAR",
                        "user_stories": [
                            {
                                "id": "VARCHAR", "user_story_version_id": "VARCHAR", "path": "JSON",
                                "title": "JSON", "bug_ids": ["VARCHAR"]
                            }
                        ]
                    }
                ]
            }')).features as features
        from testio_raw.test_details
        semi join newest('test_details') as newest on test_details.rowid = newest.place
    )
),

stories as (
    select
        customer_id,
        test_id,
        feature_number,
        as_bigint(feature.id) as test_feature_id,
        generate_subscripts(feature.user_stories, 1) as story_number,
        unnest(feature.user_stories) as story
    from features
)

select
    * exclude story,
    as_bigint(story.id) as user_story_id,
    as_bigint(story.user_story_version_id) as user_story_version_id,
    name_of(story.path) as path,
    label_of(story.title) as title,
    story.bug_ids
from stories;

-- A test can have a user story that left the catalogue before anybody read it.
create table floor.dim_user_stories as
with mentions as (
    select customer_id, user_story_id, test_id, title, path
    from story_results
    union all by name
    select distinct customer_id, user_story_id, test_id
    from executions
)

select
    user_stories.*,
    false as is_inferred,
    deleted.record_id is not null as is_deleted,
    deleted.last_seen_at,
    deleted.first_missed_at
from user_stories
left join deleted_of('user_stories') as deleted
    on user_stories.customer_id = deleted.customer_id and user_stories.user_story_id = deleted.record_id
union all by name
select
    mentions.user_story_id,
    mentions.customer_id,
    max(tests.product_id) as product_id,
    max(mentions.title) as title,
    max(mentions.path) as path,
    '[]' as section_ids,
    true as is_inferred,
    false as is_deleted
from mentions
anti join user_stories using (customer_id, user_story_id)
left join tests using (customer_id, test_id)
where mentions.user_story_id is not null
group by all;

-- Of a test feature that a test lists twice, the first stays.
create temp table test_user_stories as
with stories as (
    select story_results.*, test_features.feature_id
    from story_results
    inner join test_features using (customer_id, test_id, test_feature_id)
    qualify feature_number = min(feature_number) over (partition by customer_id, test_feature_id)
),

executed as (
    select
        executions.customer_id,
        test_id,
        user_story_version_id,
        count(*) filter (where status = 'passed') as passed_execution_count,
        count(*) filter (where status = 'failed') as failed_execution_count,
        count(*) filter (where status = 'blocked') as blocked_execution_count
    from executions
    semi join present
        on
            present.endpoint = 'executions'
            and executions.customer_id = present.customer_id
            and executions.execution_id = present.record_id
    group by all
),

linked_bugs as (
    select customer_id, test_feature_id, story_number, count(distinct bug_id) as bug_count
    from (
        select customer_id, test_feature_id, story_number, as_bigint(unnest(bug_ids)) as bug_id from stories
    ) as linked
    semi join floor.fct_bugs using (customer_id, bug_id)
    group by all
)

select
    stories.* exclude bug_ids,
    coalesce(passed_execution_count, 0) as passed_execution_count,
    coalesce(failed_execution_count, 0) as failed_execution_count,
    coalesce(blocked_execution_count, 0) as blocked_execution_count,
    coalesce(bug_count, 0) as bug_count,
    execution_status(
        executed.failed_execution_count, executed.blocked_execution_count, executed.passed_execution_count,
        linked_bugs.bug_count
    ) as execution_status
from stories
left join executed using (customer_id, test_id, user_story_version_id)
left join linked_bugs using (customer_id, test_feature_id, story_number);

create table floor.fct_executions as
with versions_of_stories as (
    select
        customer_id,
        test_id,
        user_story_version_id,
        min(test_feature_id) as test_feature_id,
        min(feature_id) as feature_id,
        min(user_story_id) as user_story_id
    from test_user_stories
    group by all
)

select
    executions.* exclude devices replace (
        coalesce(executions.user_story_id, stories.user_story_id) as user_story_id,
        coalesce(executions.test_environment_id, tests.test_environment_id) as test_environment_id
    ),
    tests.product_id,
    stories.test_feature_id,
    stories.feature_id,
    name_of(devices[1].category.name) as device_category,
    name_of(devices[1].vendor.name) as device_vendor,
    name_of(devices[1].device.name) as device_name,
    name_of(devices[1].operating_system.name) as operating_system,
    label_of(devices[1].operating_system_version.name) as operating_system_version,
    coalesce(len(devices), 0) as device_count,
    coalesce(executions.status in ('passed', 'failed', 'blocked'), false) as has_result
from executions
semi join present
    on
        present.endpoint = 'executions'
        and executions.customer_id = present.customer_id
        and executions.execution_id = present.record_id
left join tests using (customer_id, test_id)
left join versions_of_stories as stories using (customer_id, test_id, user_story_version_id);

create table floor.bridge_test_platforms as
with requirements as (
    select
        test_id,
        customer_id,
        product_id,
        generate_subscripts(requirements, 1) as requirement_number,
        unnest(requirements) as requirement
    from tests
),

with_browsers as (
    select *, list_filter(requirement.browsers, lambda browser: name_of(browser.name) is not null) as browsers
    from requirements
),

platforms as (
    select
        *,
        generate_subscripts(if(len(browsers) > 0, browsers, [null]), 1) as browser_number,
        unnest(if(len(browsers) > 0, browsers, [null])) as browser
    from with_browsers
)

select
    test_id,
    customer_id,
    row_number() over (partition by customer_id, test_id order by requirement_number, browser_number)
        as platform_number,
    requirement_number,
    product_id,
    as_bigint(requirement.id) as requirement_id,
    name_of(requirement.category.name) as device_category,
    name_of(requirement.vendor.name) as device_vendor,
    coalesce(to_json(texts_of(requirement.devices, 'name', null))::text, '[]') as device_names,
    name_of(requirement.operating_system.name) as operating_system,
    label_of(requirement.min_operating_system_version.name) as min_operating_system_version,
    label_of(requirement.max_operating_system_version.name) as max_operating_system_version,
    name_of(browser.name) as browser,
    as_boolean(requirement.browser_based) as is_browser_based,
    as_boolean(requirement.gaming) as is_gaming
from platforms;

create table floor.dim_customer_users as
with mentions as (
    select customer_id, created_by as user_name, true as has_created, is_deleted
    from floor.dim_tests
    union all
    select customer_id, submitted_by, false, is_deleted
    from floor.dim_tests
)

select
    user_name,
    customer_id,
    count(*) filter (where has_created) as created_test_count,
    count(*) filter (where not has_created) as submitted_test_count,
    bool_and(is_deleted) as is_deleted
from mentions
where user_name is not null
group by all;

create table floor.dim_testers as
with activities as (
    select 'bugs' as endpoint, customer_id, tester_name, bug_id as record_id, reported_at as active_at
    from bugs
    union all
    select 'executions', customer_id, tester_name, execution_id, executed_at
    from executions
    union all
    select 'test_case_results', customer_id, tester_name, test_case_result_id, executed_at
    from test_case_results
)

select
    tester_name,
    activities.customer_id,
    bool_or(activities.endpoint = 'bugs') as has_reported_bugs,
    bool_or(activities.endpoint <> 'bugs') as has_executed,
    bool_and(deleted.record_id is not null) as is_deleted,
    min(active_at) as first_active_at,
    max(active_at) as last_active_at
from activities
left join deleted using (endpoint, customer_id, record_id)
where tester_name is not null
group by all;

-- Whole years, from the first moment of the data to a year after the last.
create table floor.dim_dates as
with days as (
    select unnest(generate_series(first_day(), last_day(), interval 1 day))::date as date_day, false as is_placeholder
    union all
    select placeholder_day(), true
)

select
    date_day,
    date_trunc('week', date_day)::date as week_start_on,
    date_trunc('month', date_day)::date as month_start_on,
    date_trunc('quarter', date_day)::date as quarter_start_on,
    date_trunc('year', date_day)::date as year_start_on,
    year(date_day) as year_number,
    quarter(date_day) as quarter_number,
    month(date_day) as month_number,
    isoyear(date_day) as iso_year_number,
    week(date_day) as iso_week_number,
    isodow(date_day) as weekday_number,
    weekday_number > 5 as is_weekend,
    is_placeholder
from days;

-- The bugs of each tester by test and feature, counted once: all that follows sums them up.
create temp table bug_counts as
select
    customer_id,
    product_id,
    test_id,
    test_feature_id,
    feature_id,
    tester_name,
    count(*) as bug_count,
    count(*) filter (where status = 'accepted') as accepted_bug_count,
    count(*) filter (where status = 'auto_accepted') as auto_accepted_bug_count,
    count(*) filter (where status = 'rejected') as rejected_bug_count,
    count(*) filter (where status = 'forwarded') as open_bug_count,
    count(*) filter (where is_known) as known_bug_count,
    count(*) filter (where test_feature_id is null) as unattributed_bug_count,
    count(*) filter (where severity = 'critical') as critical_bug_count,
    count(*) filter (where severity = 'high') as high_bug_count,
    count(*) filter (where severity = 'low') as low_bug_count,
    count(*) filter (where severity = 'visual') as visual_bug_count,
    count(*) filter (where severity = 'content') as content_bug_count,
    count(*) filter (where severity = 'custom') as custom_bug_count,
    sum(severity_weight)::decimal(28, 4) as bug_severity_score
from floor.fct_bugs
group by all;

create temp table fair_tests as
select customer_id, test_id, end_at
from floor.dim_tests
where is_executed and not is_deleted;

create table floor.fct_test_features as
with bugs_of_features as (
    select
        customer_id,
        test_feature_id,
        sum(columns('bug_count$'))::bigint,
        sum(bug_severity_score)::decimal(28, 4) as bug_severity_score
    from bug_counts
    where test_feature_id is not null
    group by all
),

stories_of_features as (
    select
        customer_id,
        test_feature_id,
        count(*) as user_story_count,
        count(*) filter (where execution_status <> 'not_tested') as tested_user_story_count,
        count(*) filter (where execution_status = 'passed') as passed_user_story_count,
        count(*) filter (where execution_status = 'failed') as failed_user_story_count,
        count(*) filter (where execution_status = 'blocked') as blocked_user_story_count,
        sum(passed_execution_count) as passed,
        sum(failed_execution_count) as failed,
        sum(blocked_execution_count) as blocked,
        sum(bug_count) as bugs
    from test_user_stories
    group by all
),

testers_of_features as (
    select customer_id, test_feature_id, count(distinct tester_name) as tester_count
    from (
        select customer_id, test_feature_id, tester_name from bug_counts
        union all
        select customer_id, test_feature_id, tester_name from floor.fct_executions where has_result
    ) as testers
    where test_feature_id is not null
    group by all
)

select
    test_features.test_feature_id,
    test_features.customer_id,
    tests.product_id,
    test_features.test_id,
    test_features.feature_id,
    test_features.title,
    execution_status(
        stories.failed,
        stories.blocked,
        stories.passed,
        coalesce(bugs.bug_count, 0) + coalesce(stories.bugs, 0)
    ) as execution_status,
    coalesce(columns(bugs.* exclude (customer_id, test_feature_id)), 0),
    coalesce(testers.tester_count, 0) as tester_count,
    coalesce(stories.passed + stories.failed + stories.blocked, 0)::bigint as execution_count,
    coalesce(stories.user_story_count, len(test_features.user_stories), 0) as user_story_count,
    coalesce(columns('^(tested|passed|failed|blocked)_user_story_count$'), 0),
    tests.is_executed,
    tests.is_deleted
from test_features
inner join floor.dim_tests as tests using (customer_id, test_id)
left join bugs_of_features as bugs using (customer_id, test_feature_id)
left join stories_of_features as stories using (customer_id, test_feature_id)
left join testers_of_features as testers using (customer_id, test_feature_id);

create table floor.test_quality as
with features_of_tests as (
    select
        customer_id,
        test_id,
        count(distinct feature_id) as feature_count,
        count(distinct feature_id) filter (where execution_status <> 'not_tested') as tested_feature_count,
        sum(tested_user_story_count)::bigint as tested_user_story_count,
        sum(passed_user_story_count)::bigint as passed_user_story_count
    from floor.fct_test_features
    group by all
),

bugs_of_tests as (
    select
        customer_id,
        test_id,
        count(distinct tester_name) as bug_author_count,
        sum(columns('bug_count$'))::bigint,
        sum(bug_severity_score)::decimal(28, 4) as bug_severity_score
    from bug_counts
    group by all
),

counted as (
    select
        tests.test_id,
        tests.customer_id,
        tests.product_id,
        tests.title,
        tests.status,
        tests.testing_type,
        tests.end_at,
        coalesce(columns(features.* exclude (customer_id, test_id)), 0),
        coalesce(columns(bugs.* exclude (customer_id, test_id)), 0)
    from floor.dim_tests as tests
    semi join fair_tests using (customer_id, test_id)
    left join features_of_tests as features using (customer_id, test_id)
    left join bugs_of_tests as bugs using (customer_id, test_id)
)

select
    *,
    rate(tested_feature_count, feature_count) as feature_coverage,
    rate(passed_user_story_count, tested_user_story_count) as user_story_pass_rate
from rated('counted');

create table floor.feature_quality as
with tests_of_features as (
    select
        customer_id,
        feature_id,
        count(distinct test_id) as test_count,
        count(distinct test_id) filter (where execution_status <> 'not_tested') as tested_test_count,
        count(distinct test_id) filter (where execution_status = 'failed') as failed_test_count,
        sum(tested_user_story_count)::bigint as tested_user_story_count,
        sum(passed_user_story_count)::bigint as passed_user_story_count
    from floor.fct_test_features
    semi join fair_tests using (customer_id, test_id)
    group by all
),

bugs_of_features as (
    select
        customer_id,
        feature_id,
        count(distinct tester_name) as bug_author_count,
        sum(columns('bug_count$'))::bigint,
        sum(bug_severity_score)::decimal(28, 4) as bug_severity_score
    from bug_counts
    semi join fair_tests using (customer_id, test_id)
    where feature_id is not null
    group by all
),

counted as (
    select
        features.feature_id,
        features.customer_id,
        features.product_id,
        features.title,
        features.is_deleted,
        coalesce(columns(tests.* exclude (customer_id, feature_id)), 0),
        coalesce(columns(bugs.* exclude (customer_id, feature_id)), 0)
    from floor.dim_features as features
    left join tests_of_features as tests using (customer_id, feature_id)
    left join bugs_of_features as bugs using (customer_id, feature_id)
)

select
    *,
    rate(bug_count, test_count) as bugs_per_test,
    rate(passed_user_story_count, tested_user_story_count) as user_story_pass_rate
from rated('counted');

create table floor.tester_quality as
with counted as (
    select
        tester_name,
        customer_id,
        count(distinct test_id) as test_count,
        count(distinct product_id) as product_count,
        sum(columns('bug_count$'))::bigint,
        sum(bug_severity_score)::decimal(28, 4) as bug_severity_score
    from bug_counts
    semi join fair_tests using (customer_id, test_id)
    where tester_name is not null
    group by all
)

select
    *,
    rate(bug_count, test_count) as bugs_per_test,
    rate(bug_severity_score, bug_count) as severity_score_per_bug
from rated('counted')
where bug_count >= 10;

-- Periods by when a test ended, each compared with the one before.
create table floor.product_quality as
with periods as (
    select
        customer_id,
        product_id,
        test_id,
        unnest(['month', 'quarter', 'year']) as period_type,
        date_trunc(period_type, end_at)::date as period_start_on
    from fair_tests
    inner join (select customer_id, test_id, product_id from tests) as products using (customer_id, test_id)
    where product_id is not null and calendar_day(end_at) <> placeholder_day()
),

tests_of_periods as (
    select customer_id, product_id, period_type, period_start_on, count(*) as test_count
    from periods
    group by all
),

bugs_of_periods as (
    select
        periods.* exclude test_id,
        count(distinct tester_name) as bug_author_count,
        sum(columns('bug_count$'))::bigint,
        sum(bug_severity_score)::decimal(28, 4) as bug_severity_score
    from periods
    inner join (select * exclude product_id from bug_counts) as bugs using (customer_id, test_id)
    group by all
),

counted as (
    select
        tests.*,
        coalesce(
            columns(bugs.* exclude (customer_id, product_id, period_type, period_start_on)), 0
        )
    from tests_of_periods as tests
    left join bugs_of_periods as bugs using (customer_id, product_id, period_type, period_start_on)
),

judged as (
    select
        *,
        rate(bug_count, test_count) as bugs_per_test,
        (period_start_on - case period_type
            when 'month' then interval 1 month when 'quarter' then interval 3 month else interval 1 year
        end)::date as previous_start_on
    from rated('counted')
)

select
    judged.* exclude previous_start_on,
    previous.health as previous_health,
    judged.test_count - previous.test_count as test_count_change,
    judged.bug_count - previous.bug_count as bug_count_change,
    (judged.bug_severity_score - previous.bug_severity_score)::decimal(28, 4) as bug_severity_score_change,
    judged.overall_acceptance_rate - previous.overall_acceptance_rate as overall_acceptance_rate_change,
    judged.active_acceptance_rate - previous.active_acceptance_rate as active_acceptance_rate_change,
    judged.auto_acceptance_rate - previous.auto_acceptance_rate as auto_acceptance_rate_change,
    judged.rejection_rate - previous.rejection_rate as rejection_rate_change,
    judged.review_rate - previous.review_rate as review_rate_change,
    judged.known_bug_rate - previous.known_bug_rate as known_bug_rate_change,
    judged.bugs_per_test - previous.bugs_per_test as bugs_per_test_change
from judged
left join judged as previous
    on
        judged.customer_id = previous.customer_id
        and judged.product_id = previous.product_id
        and judged.period_type = previous.period_type
        and judged.previous_start_on = previous.period_start_on;
