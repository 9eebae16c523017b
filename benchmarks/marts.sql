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
create temp macro as_array(t) as case when t like '[%' then t end;
create temp macro length_of(t) as coalesce(try(json_array_length(as_array(t))), 0)::bigint;

-- The texts of an array whose elements are texts, or objects with a text at one of these keys.
create temp macro texts_of(t, key, other_key) as
    list_filter(
        list_transform(
            try(from_json(as_array(t), '["JSON"]')),
            lambda e: case
                when json_type(e) = 'OBJECT' then coalesce(nullif(e ->> key, ''), nullif(e ->> other_key, ''))
                else e ->> '$'
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
create temp macro severity_level(severity) as case when severity in ('low', 'high', 'critical') then severity end;

-- What failed, was blocked or passed most decides.
create temp macro execution_status(failed, blocked, passed, bugs) as
    case
        when failed > 0 or bugs > 0 then 'failed' when blocked > 0 then 'blocked' when passed > 0 then 'passed'
        else 'not_tested'
    end;

-- The scope that a record is read in.
create temp macro scope_of(customer_id, endpoint, product_id, test_id) as
    concat_ws('/', customer_id, endpoint, coalesce(product_id::text, '-'), coalesce(test_id::text, '-'));

-- All versions that came with a completed load, newest first, and where they stand.
create temp table versions as
with landed as (
    select 'products' as endpoint, rowid as place, customer_id, id, loaded_at, content_hash, _dlt_load_id
    from testio_raw.products
    union all by name
    select 'features' as endpoint, rowid as place, customer_id, id, product_id, loaded_at, content_hash, _dlt_load_id
    from testio_raw.features
    union all by name
    select
        'user_stories' as endpoint, rowid as place, customer_id, id, product_id, loaded_at, content_hash,
        _dlt_load_id
    from testio_raw.user_stories
    union all by name
    select
        'test_environments' as endpoint, rowid as place, customer_id, id, product_id, loaded_at, content_hash,
        _dlt_load_id
    from testio_raw.test_environments
    union all by name
    select 'tests' as endpoint, rowid as place, customer_id, id, product_id, loaded_at, content_hash, _dlt_load_id
    from testio_raw.tests
    union all by name
    select 'test_details' as endpoint, rowid as place, customer_id, id, loaded_at, content_hash, _dlt_load_id
    from testio_raw.test_details
    union all by name
    select 'bugs' as endpoint, rowid as place, customer_id, id, test_id, loaded_at, content_hash, _dlt_load_id
    from testio_raw.bugs
    union all by name
    select 'executions' as endpoint, rowid as place, customer_id, id, test_id, loaded_at, content_hash, _dlt_load_id
    from testio_raw.executions
    union all by name
    select 'test_case_tests' as endpoint, rowid as place, customer_id, id, loaded_at, content_hash, _dlt_load_id
    from testio_raw.test_case_tests
    union all by name
    select
        'test_case_results' as endpoint, rowid as place, customer_id, id, test_id, loaded_at, content_hash,
        _dlt_load_id
    from testio_raw.test_case_results
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
        partition by endpoint, customer_id, id order by loaded_at desc, content_hash desc, _dlt_load_id desc
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
    select customer_id, record_id, max(read_at) as read_at
    from listed
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
        gone_products.product_id is not null
        or listed_tests.read_at is null
        or listed_tests.read_at < of_product.read_at
        or listed_tests.read_at < of_test.read_at
    );

-- What is there: what belongs to a product or test that is gone is gone as well.
create temp table present as
select distinct listed.endpoint, listed.customer_id, listed.record_id
from listed
anti join gone_products using (customer_id, product_id)
anti join gone_tests using (customer_id, test_id);

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
),

-- Most reads list the same as the one before.
lists as (
    select scope, ids, max(read_at) as read_at
    from reads
    semi join scopes using (scope)
    group by all
),

seen as (
    select endpoint, customer_id, record_id, max(read_at) as read_at
    from scopes
    inner join (select scope, unnest(ids) as record_id, read_at from lists) as ids using (scope, record_id)
    group by all
),

missed as (
    select seen.endpoint, seen.customer_id, seen.record_id, min(reads.read_at) as read_at
    from seen
    inner join scopes using (endpoint, customer_id, record_id)
    inner join reads on scopes.scope = reads.scope and seen.read_at < reads.read_at
    where reads.is_complete
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
    t[2] as product_name,
    t[3] as product_type,
    t[4] as description
from (
    select
        id,
        customer_id,
        try(json_extract_string(payload, ['$.default_section_id', '$.name', '$.type', '$.description'])) as t
    from testio_raw.products
    where rowid in (from newest('products'))
);

create temp table features as
select
    id as feature_id,
    customer_id,
    product_id,
    coalesce(t[1], '') as title,
    t[2] as description,
    t[3] as howtofind,
    coalesce(to_json(texts_of(t[4], 'path', 'title'))::text, '[]') as user_stories,
    coalesce(nullif(section_ids, '[]'), as_array(t[5]), '[]') as section_ids
from (
    select
        *,
        try(json_extract_string(
            payload, ['$.title', '$.description', '$.howtofind', '$.user_stories', '$.section_ids']
        )) as t
    from testio_raw.features
    where rowid in (from newest('features'))
);

create temp table user_stories as
select
    id as user_story_id,
    customer_id,
    product_id,
    t[1] as path,
    t[2] as title,
    coalesce(section_ids, '[]') as section_ids
from (
    select *, try(json_extract_string(payload, ['$.path', '$.title'])) as t
    from testio_raw.user_stories
    where rowid in (from newest('user_stories'))
);

create temp table test_environments as
select
    id as test_environment_id,
    customer_id,
    product_id,
    t[1] as title,
    t[2] as url,
    t[3] as access_type,
    coalesce(as_boolean(t[4]), false) as has_proxy,
    coalesce(as_boolean(t[5]), false) as allow_orders
from (
    select
        *,
        try(json_extract_string(payload, ['$.title', '$.url', '$.access_type', '$.proxy', '$.allow_orders'])) as t
    from testio_raw.test_environments
    where rowid in (from newest('test_environments'))
);

create temp table tests as
select
    id as test_id,
    customer_id,
    coalesce(product_id, as_bigint(t[21])) as product_id,
    as_bigint(t[24]) as section_id,
    as_bigint(t[26]) as test_environment_id,
    coalesce(nullif(t[1], ''), t[2]) as title,
    t[3] as status,
    case t[4] when 'external' then 'custom' else coalesce(t[4], 'test_case') end as testing_type,
    t[5] as review_status,
    t[6] as report_language,
    t[7] as created_by,
    t[8] as submitted_by,
    coalesce(t[16], t[15]) as goal,
    coalesce(t[18], t[17]) as instructions,
    coalesce(t[20], t[19]) as out_of_scope,
    t[22] as product_name,
    t[23] as product_type,
    t[25] as section_name,
    t[27] as test_environment_title,
    try(from_json(as_array(t[28]), '[
        {
            "id": "VARCHAR", "feature_id": "VARCHAR", "title": "VARCHAR", "user_stories": "VARCHAR"
        }
    ]')) as features,
    try(from_json(as_array(t[29]), '[
        {
            "id": "VARCHAR", "category": {"name": "VARCHAR"}, "vendor": {"name": "VARCHAR"},
            "operating_system": {"name": "VARCHAR"}, "min_operating_system_version": {"name": "VARCHAR"},
            "max_operating_system_version": {"name": "VARCHAR"}, "devices": "VARCHAR",
            "browsers": [{"name": "VARCHAR"}], "browser_based": "VARCHAR", "gaming": "VARCHAR"
        }
    ]')) as requirements,
    length_of(t[30]) as attachment_count,
    coalesce(as_boolean(t[9]), false) as is_demo,
    coalesce(as_boolean(t[10]), false) as enable_low,
    coalesce(as_boolean(t[11]), false) as enable_high,
    coalesce(as_boolean(t[12]), false) as enable_critical,
    coalesce(status in ('running', 'locked', 'archived', 'customer_finalized'), false) as is_executed,
    as_timestamp(t[13]) as start_at,
    as_timestamp(t[14]) as end_at,
    loaded_at
from (
    select
        *,
        try(json_extract_string(payload, [
            '$.title', '$.test_title', '$.status', '$.testing_type', '$.review_status', '$.report_language',
            '$.created_by', '$.submitted_by', '$.demo', '$.enable_low', '$.enable_high', '$.enable_critical',
            '$.start_at', '$.end_at', '$.goal', '$.goal_text', '$.instructions', '$.instructions_text',
            '$.out_of_scope', '$.out_of_scope_text', '$.product.id', '$.product.name', '$.product.type',
            '$.section.id', '$.section.name', '$.test_environment.id', '$.test_environment.title',
            '$.features', '$.requirements', '$.attachments'
        ])) as t
    from testio_raw.tests
    where rowid in (from newest('tests'))
);

create temp table executions as
select
    id as execution_id,
    customer_id,
    test_id,
    user_story_id,
    user_story_version_id,
    as_bigint(t[6]) as test_environment_id,
    t[3] as tester_name,
    t[1] as status,
    t[2] as comment,
    try(from_json(as_array(t[4]), '[
        {
            "category": {"name": "VARCHAR"}, "vendor": {"name": "VARCHAR"}, "device": {"name": "VARCHAR"},
            "operating_system": {"name": "VARCHAR"}, "operating_system_version": {"name": "VARCHAR"}
        }
    ]')) as devices,
    as_timestamp(t[5]) as executed_at
from (
    select
        *,
        try(json_extract_string(payload, [
            '$.status', '$.comment', '$.executed_by', '$.device_reports', '$.executed_at',
            '$.test_cycle.test_environment.id'
        ])) as t
    from testio_raw.executions
    where rowid in (from newest('executions'))
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
    t[17] as tester_name,
    t[1] as title,
    t[2] as severity,
    coalesce(t[3] = 'accepted' and as_boolean(t[13]), false) as is_auto_accepted,
    case when is_auto_accepted then 'auto_accepted' else t[3] end as status,
    t[4] as language,
    t[5] as location,
    case
        when t[8] not like '[%' then t[8]
        when t[8] like '%{%' then coalesce(array_to_string(texts_of(t[8], null, null), chr(10)), t[8])
        else coalesce(array_to_string(
            list_filter(try(from_json(t[8], '["VARCHAR"]')), lambda step: step is not null), chr(10)
        ), t[8])
    end as steps,
    t[6] as expected_result,
    t[7] as actual_result,
    t[9] as external_id,
    try(from_json(as_array(t[10]), '[
        {
            "category": {"name": "VARCHAR"}, "vendor": {"name": "VARCHAR"}, "device": {"name": "VARCHAR"},
            "operating_system": {"name": "VARCHAR"}, "operating_system_version": {"name": "VARCHAR"},
            "browsers": [{"name": "VARCHAR"}]
        }
    ]')) as devices,
    length_of(t[11]) as comment_count,
    length_of(t[12]) as attachment_count,
    case when status = 'rejected' then as_array(t[11]) end as comments,
    t[23] as report_title,
    t[24] as report_data,
    coalesce(as_boolean(t[14]), false) as is_known,
    as_timestamp(t[15]) as reported_at,
    as_timestamp(t[16]) as exported_at,
    _dlt_load_id as load_id,
    loaded_at at time zone 'UTC' as loaded_at
from (
    select
        *,
        try(json_extract_string(payload, [
            '$.title', '$.severity', '$.status', '$.language', '$.location', '$.expected_result',
            '$.actual_result', '$.steps', '$.external_idx', '$.devices', '$.comments', '$.attachments',
            '$.auto_accepted', '$.known', '$.reported_at', '$.exported_at', '$.author.name', '$.section.id',
            '$.feature.id', '$.app_section.id', '$.test_feature.id', '$.test_environment.id',
            '$.report.title', '$.report.content.data'
        ])) as t
    from testio_raw.bugs
    where rowid in (from newest('bugs'))
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
    coalesce(feature.title, '') as title,
    texts_of(feature.user_stories, 'path', 'title') as user_stories,
    test_feature_id is not null and features.feature_id is not null as is_known,
    is_known and row_number() over (
        partition by elements.customer_id, test_feature_id, is_known
        order by elements.loaded_at desc, test_id desc, feature_number
    ) = 1 as is_kept
from elements
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
        trim(replace(try(json_extract_string(payload, '$.default_comment')), chr(13), '')) as default_comment
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
        unnest(try(from_json(comments, '[{"body": "VARCHAR", "created_at": "VARCHAR"}]'))) as comment
    from bugs
    where status = 'rejected'
)

select
    customer_id,
    bug_id,
    arg_min(
        reject_reason,
        (
            coalesce(as_timestamp(comment.created_at), 'infinity'), comment_number, reasons.position, reject_reason
        )
    ) as rejection_reason
from all_comments
inner join reasons using (customer_id)
where default_comment <> '' and contains(replace(comment.body, chr(13), ''), default_comment)
group by all;

-- When the bugs of a test were read, and first of all.
create temp table bug_reads as
select
    customer_id,
    test_id,
    load_id,
    min(read_at) as read_at,
    min(min(read_at)) over (partition by customer_id, test_id) as first_read_of_test_at
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
        try(json_extract_string(payload, ['$.severity', '$.status', '$.auto_accepted', '$.known'])) as t
    from testio_raw.bugs
    where rowid in (select place from landed)
),

said as (
    select
        landed.customer_id,
        landed.record_id as bug_id,
        landed.loaded_at,
        t[1] as severity,
        case when t[2] = 'accepted' and as_boolean(t[3]) then 'auto_accepted' else t[2] end as status,
        coalesce(as_boolean(t[4]), false)::text as is_known,
        min(landed.test_id) as test_id,
        min(coalesce(bug_reads.read_at, landed.loaded_at)) as first_seen_at,
        min(first_bug_reads.first_read_at) as watched_since_at
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
    lag({'status': status, 'severity': severity, 'is_known': is_known, 'loaded_at': loaded_at}) over bug as previous
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
    bugs.bug_id,
    bugs.customer_id,
    tests.product_id,
    bugs.test_id,
    test_features.test_feature_id,
    test_features.feature_id,
    bugs.section_id,
    bugs.test_environment_id,
    bugs.reported_test_feature_id,
    bugs.reported_feature_id,
    bugs.external_id,
    bugs.tester_name,
    bugs.title,
    bugs.severity,
    bug_type(bugs.severity) as bug_type,
    severity_level(bugs.severity) as severity_level,
    (case bugs.severity when 'critical' then 5 when 'high' then 3 else 1 end)::bigint as severity_weight,
    bugs.status,
    rejection_reasons.rejection_reason,
    case
        when test_features.test_feature_id is not null then null
        when bugs.reported_test_feature_id is null then 'no_test_feature'
        when rejected.test_feature_id is not null then 'rejected_test_feature'
        else 'unknown_test_feature'
    end as unattributed_because,
    bugs.language,
    bugs.location,
    bugs.steps,
    bugs.expected_result,
    bugs.actual_result,
    if(
        bug_triage.bug_id is null,
        case when bugs.status <> 'forwarded' then coalesce(bug_reads.read_at, bugs.loaded_at) end,
        bug_triage.triaged_at
    ) as first_triaged_at,
    case
        when
            first_triaged_at > if(bug_triage.bug_id is null, first_bug_reads.first_read_at, bug_triage.watched_since_at)
            and bugs.reported_at <= first_triaged_at
            then date_diff('second', bugs.reported_at, first_triaged_at)::double / 86400
    end as days_to_first_triage,
    coalesce(bug_triage.status_change_count, 0) as status_change_count,
    coalesce(len(bugs.devices), 0) as device_count,
    bugs.comment_count,
    bugs.attachment_count,
    bugs.is_known,
    bugs.is_auto_accepted,
    bugs.reported_at,
    bugs.exported_at
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
left join rejection_reasons on bugs.customer_id = rejection_reasons.customer_id and bugs.bug_id = rejection_reasons.bug_id
left join bug_triage on bugs.customer_id = bug_triage.customer_id and bugs.bug_id = bug_triage.bug_id
left join bug_reads using (customer_id, test_id, load_id)
left join first_bug_reads using (customer_id, test_id);

create table floor.fct_deleted_bugs as
select
    bugs.bug_id,
    bugs.customer_id,
    tests.product_id,
    tests.test_id,
    bugs.section_id,
    bugs.test_environment_id,
    bugs.reported_test_feature_id,
    bugs.reported_feature_id,
    bugs.external_id,
    bugs.tester_name,
    bugs.title,
    bugs.severity,
    bug_type(bugs.severity) as bug_type,
    severity_level(bugs.severity) as severity_level,
    bugs.status,
    bugs.is_known,
    bugs.is_auto_accepted,
    deleted_tests.record_id is not null as is_test_deleted,
    bugs.reported_at,
    bugs.exported_at,
    deleted.last_seen_at,
    deleted.first_missed_at
from bugs
inner join deleted_of('bugs') as deleted on bugs.customer_id = deleted.customer_id and bugs.bug_id = deleted.record_id
left join tests on bugs.customer_id = tests.customer_id and bugs.test_id = tests.test_id
left join deleted_of('tests') as deleted_tests
    on tests.customer_id = deleted_tests.customer_id and tests.test_id = deleted_tests.record_id;

create table floor.custom_reports as
with reports as (
    select bugs.bug_id, bugs.customer_id, tests.product_id, bugs.test_id, report_title, report_data
    from bugs
    semi join floor.fct_bugs using (customer_id, bug_id)
    inner join tests using (customer_id, test_id)
    where report_data is not null
)

select
    reports.* exclude report_data,
    entries.key as report_key,
    entries.value ->> '$' as report_value
from
    reports,
    json_each(case when json_type(try_cast(report_data as json)) = 'OBJECT' then report_data::json end) as entries
union all by name
select reports.* exclude report_data, 'data' as report_key, report_data as report_value
from reports
where left(report_data, 1) <> '{';

-- The platforms of each bug, each once; a bug without a device stays, and so does a device without a browser.
create table floor.bridge_bug_platforms as
with devices as (
    select
        bugs.customer_id,
        bugs.bug_id,
        tests.product_id,
        bugs.test_id,
        generate_subscripts(if(len(devices) > 0, devices, [null]), 1) as device_number,
        unnest(if(len(devices) > 0, devices, [null])) as device,
        list_filter(device.browsers, lambda browser: browser.name is not null) as named_browsers,
        len(devices) > 1 or len(device.browsers) > 1 as has_several
    from bugs
    semi join floor.fct_bugs using (customer_id, bug_id)
    inner join tests using (customer_id, test_id)
),

platforms as (
    select
        bug_id,
        customer_id,
        product_id,
        test_id,
        coalesce(device.category.name, 'unknown') as device_category,
        coalesce(device.vendor.name, 'unknown') as device_vendor,
        coalesce(device.device.name, 'unknown') as device_name,
        coalesce(device.operating_system.name, 'unknown') as operating_system,
        coalesce(device.operating_system_version.name, 'unknown') as operating_system_version,
        device_number,
        generate_subscripts(if(len(named_browsers) > 0, named_browsers, [null]), 1) as browser_number,
        coalesce(unnest(if(len(named_browsers) > 0, named_browsers, [null])).name, 'unknown') as browser,
        has_several
    from devices
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
