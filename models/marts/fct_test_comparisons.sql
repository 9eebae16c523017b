{%- set copied = [
    'test_id', 'ended_on', 'feature_count', 'bug_count', 'decided_bug_count', 'acceptance_rate_of_decided',
    'rejection_rate_of_decided',
] %}
with tests as (
    select
        *,
        {{ calendar_day('end_at') }} as ended_on,
        row_number() over (
            partition by customer_id, product_id, testing_type order by end_at, test_id
        ) as place
    from {{ ref('test_quality') }}
    where
        is_finished
        and product_id is not null
        and testing_type is not null
        and {{ calendar_day('end_at') }} <> {{ placeholder_day() }}
),

features as (
    select
        customer_id,
        feature_id,
        test_id,
        execution_status,
        bug_count
    from {{ ref('fct_feature_history') }}
),

pairs as (
    select
        {%- for column in copied %}
        tests.{{ column }},
        previous.{{ column }} as previous_{{ column }},
        {%- endfor %}
        tests.customer_id,
        tests.product_id,
        tests.testing_type
    from tests
    inner join tests as previous
        on
            tests.customer_id = previous.customer_id
            and tests.product_id = previous.product_id
            and tests.testing_type = previous.testing_type
            and tests.place = previous.place + 1
),

features_of_pairs as (
    select
        pairs.customer_id,
        pairs.test_id,
        count(earlier.feature_id) as compared_feature_count,
        count(
            case when earlier.execution_status = 'passed' and features.execution_status = 'failed' then 1 end
        ) as regressed_feature_count,
        count(
            case when earlier.execution_status = 'failed' and features.execution_status = 'passed' then 1 end
        ) as recovered_feature_count,
        count(
            case when earlier.execution_status = 'failed' and features.execution_status = 'failed' then 1 end
        ) as ongoing_failed_feature_count,
        cast(sum(case when earlier.feature_id is not null then features.bug_count end) as bigint)
            as compared_bug_count,
        cast(sum(earlier.bug_count) as bigint) as previous_compared_bug_count
    from pairs
    inner join features
        on
            pairs.customer_id = features.customer_id
            and pairs.test_id = features.test_id
    left join features as earlier
        on
            pairs.customer_id = earlier.customer_id
            and pairs.previous_test_id = earlier.test_id
            and features.feature_id = earlier.feature_id
    group by pairs.customer_id, pairs.test_id
),

counted as (
    select
        pairs.*,
        coalesce(features_of_pairs.compared_feature_count, 0) as compared_feature_count,
        pairs.feature_count - coalesce(features_of_pairs.compared_feature_count, 0) as added_feature_count,
        pairs.previous_feature_count - coalesce(features_of_pairs.compared_feature_count, 0)
            as dropped_feature_count,
        coalesce(features_of_pairs.regressed_feature_count, 0) as regressed_feature_count,
        coalesce(features_of_pairs.recovered_feature_count, 0) as recovered_feature_count,
        coalesce(features_of_pairs.ongoing_failed_feature_count, 0) as ongoing_failed_feature_count,
        coalesce(features_of_pairs.compared_bug_count, 0) as compared_bug_count,
        coalesce(features_of_pairs.previous_compared_bug_count, 0) as previous_compared_bug_count,
        pairs.bug_count - pairs.previous_bug_count as bug_count_change,
        pairs.acceptance_rate_of_decided - pairs.previous_acceptance_rate_of_decided
            as acceptance_rate_of_decided_change,
        pairs.rejection_rate_of_decided - pairs.previous_rejection_rate_of_decided
            as rejection_rate_of_decided_change
    from pairs
    left join features_of_pairs
        on
            pairs.customer_id = features_of_pairs.customer_id
            and pairs.test_id = features_of_pairs.test_id
)

select
    *,
    {{ entity_key('test_id') }} as test_key,
    {{ entity_key('previous_test_id') }} as previous_test_key,
    {{ entity_key('product_id') }} as product_key
from counted
