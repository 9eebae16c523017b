{%- set bug = 'cast(bug_id as ' ~ dbt.type_string() ~ ')' -%}

with reads as (
    select
        customer_id,
        endpoint,
        test_id,
        claimed_count,
        is_complete,
        read_at,
        row_number() over (partition by scope_key order by read_at desc, landed_at desc) as age
    from {{ ref('stg_ledger') }}
    where endpoint in ('test_details', 'bugs', 'executions')
),

latest_reads as (
    select * from reads
    where age = 1
),

present as (
    select * from {{ ref('int_present_records') }}
),

details as (
    select * from {{ ref('stg_test_details') }}
),

features as (
    select
        customer_id,
        test_id,
        test_feature_id,
        max(bug_count) as bug_count,
        {{ last_text('bug_ids') }} as bug_ids
    from {{ ref('stg_test_feature_results') }}
    where test_feature_id is not null
    group by customer_id, test_id, test_feature_id
),

bugs as (
    select
        present_bugs.customer_id,
        present_bugs.test_id,
        present_bugs.bug_id,
        bugs.reported_test_feature_id as test_feature_id
    from {{ ref('int_present_bugs') }} as present_bugs
    inner join {{ ref('stg_bugs') }} as bugs
        on
            present_bugs.customer_id = bugs.customer_id
            and present_bugs.bug_id = bugs.bug_id
),

-- A test can be compared only if the latest reads of its results and of its bugs are both complete.
comparable_tests as (
    select
        details_reads.customer_id,
        details_reads.test_id,
        details_reads.read_at as claimed_at,
        bug_reads.read_at as held_at
    from latest_reads as details_reads
    inner join present
        on
            details_reads.customer_id = present.customer_id
            and details_reads.endpoint = present.endpoint
            and details_reads.test_id = present.record_id
    inner join latest_reads as bug_reads
        on
            details_reads.customer_id = bug_reads.customer_id
            and details_reads.test_id = bug_reads.test_id
            and bug_reads.endpoint = 'bugs'
    where
        details_reads.endpoint = 'test_details'
        and details_reads.is_complete
        and bug_reads.is_complete
),

bugs_of_tests as (
    select
        customer_id,
        test_id,
        count(*) as held
    from bugs
    group by customer_id, test_id
),

claims_of_tests as (
    select
        details.customer_id,
        'bugs of a test' as claim,
        details.test_id,
        cast(null as bigint) as test_feature_id,
        details.bug_count as claimed,
        coalesce(bugs_of_tests.held, 0) as held,
        cast(null as {{ dbt.type_string() }}) as missing_ids,
        cast(null as {{ dbt.type_string() }}) as surplus_ids,
        comparable_tests.claimed_at,
        comparable_tests.held_at
    from details
    inner join comparable_tests
        on
            details.customer_id = comparable_tests.customer_id
            and details.test_id = comparable_tests.test_id
    left join bugs_of_tests
        on
            details.customer_id = bugs_of_tests.customer_id
            and details.test_id = bugs_of_tests.test_id
    where details.bug_count is not null
),

claimed_ids as (
    {{ explode('features', 'bug_ids', keep=['customer_id', 'test_id', 'test_feature_id']) }}
),

ids as (
    select
        customer_id,
        test_id,
        test_feature_id,
        bug_id,
        max(is_claimed) as is_claimed,
        max(is_held) as is_held
    from (
        select
            customer_id,
            test_id,
            test_feature_id,
            {{ to_bigint("replace(element, '\"', '')") }} as bug_id,
            1 as is_claimed,
            0 as is_held
        from claimed_ids
        union all
        select
            customer_id,
            test_id,
            test_feature_id,
            bug_id,
            0 as is_claimed,
            1 as is_held
        from bugs
    ) as both_sides
    group by customer_id, test_id, test_feature_id, bug_id
),

bugs_of_features as (
    select
        customer_id,
        test_id,
        test_feature_id,
        count(case when is_held = 1 then 1 end) as held,
        {{ dbt.listagg('case when is_held = 0 then ' ~ bug ~ ' end', "', '", 'order by bug_id') }}
            as missing_ids,
        {{ dbt.listagg('case when is_claimed = 0 then ' ~ bug ~ ' end', "', '", 'order by bug_id') }}
            as surplus_ids
    from ids
    group by customer_id, test_id, test_feature_id
),

claims_of_features as (
    select
        features.customer_id,
        'bugs of a test feature' as claim,
        features.test_id,
        features.test_feature_id,
        features.bug_count as claimed,
        coalesce(bugs_of_features.held, 0) as held,
        bugs_of_features.missing_ids,
        case when features.bug_ids is not null then bugs_of_features.surplus_ids end as surplus_ids,
        comparable_tests.claimed_at,
        comparable_tests.held_at
    from features
    inner join comparable_tests
        on
            features.customer_id = comparable_tests.customer_id
            and features.test_id = comparable_tests.test_id
    left join bugs_of_features
        on
            features.customer_id = bugs_of_features.customer_id
            and features.test_id = bugs_of_features.test_id
            and features.test_feature_id = bugs_of_features.test_feature_id
    where
        features.bug_count is not null
        or features.bug_ids is not null
),

-- Executions can be compared only if no test's latest read of them is incomplete.
executions as (
    select
        present.customer_id,
        count(case when present.endpoint = 'executions' then 1 end) as held,
        count(case when not latest_reads.is_complete then 1 end) as incomplete_count,
        min(latest_reads.read_at) as held_at
    from present
    left join latest_reads
        on
            present.customer_id = latest_reads.customer_id
            and present.record_id = latest_reads.test_id
            and present.endpoint = 'tests'
            and latest_reads.endpoint = 'executions'
    where present.endpoint in ('tests', 'executions')
    group by present.customer_id
),

claims_of_customers as (
    select
        latest_reads.customer_id,
        'executions' as claim,
        cast(null as bigint) as test_id,
        cast(null as bigint) as test_feature_id,
        latest_reads.claimed_count as claimed,
        coalesce(executions.held, 0) as held,
        cast(null as {{ dbt.type_string() }}) as missing_ids,
        cast(null as {{ dbt.type_string() }}) as surplus_ids,
        latest_reads.read_at as claimed_at,
        executions.held_at
    from latest_reads
    left join executions on latest_reads.customer_id = executions.customer_id
    where
        latest_reads.endpoint = 'executions'
        and latest_reads.test_id is null
        and latest_reads.is_complete
        and latest_reads.claimed_count is not null
        and coalesce(executions.incomplete_count, 0) = 0
),

claims as (
    select * from claims_of_tests
    union all
    select * from claims_of_features
    union all
    select * from claims_of_customers
),

differences as (
    select
        customer_id,
        claim,
        test_id,
        test_feature_id,
        claimed,
        held,
        claimed - held as difference,
        missing_ids,
        surplus_ids,
        claimed_at,
        held_at
    from claims
    where
        claimed <> held
        or missing_ids is not null
        or surplus_ids is not null
)

select * from differences
