with tests as (
    select * from {{ ref('test_quality') }}
    where
        is_finished
        and product_id is not null
        and {{ calendar_day('end_at') }} <> {{ placeholder_day() }}
),

as_of as (
    select * from {{ ref('int_as_of') }}
),

-- A rate of decided bugs still moves while bugs of the cycle await their decision.
triaged as (
    select
        tests.*,
        tests.open_bug_count = 0 or {{ auto_accepted_at('tests.end_at') }} <= as_of.as_of_at as is_triaged
    from tests
    left join as_of on tests.customer_id = as_of.customer_id
),

measured as (
    {%- for measure, (events, whole) in control_measures().items() %}
    select
        customer_id,
        product_id,
        test_id,
        end_at,
        '{{ measure }}' as measure,
        {{ 'true' if whole else 'false' }} as is_rate,
        {{ events }} as event_count,
        {{ whole or 'cast(1 as bigint)' }} as sample,
        {{ 'coalesce(is_triaged, false) and ' ~ whole ~ ' > 0' if whole else 'true' }} as is_complete,
        cast({{ control_score(events, whole) }} as {{ control_type() }}) as score,
        {{ '4 * ' ~ whole ~ ' + 2' if whole else 'cast(4 as bigint)' }} as weight
    from triaged
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
),

-- Sums of decimals do not depend on their order.
weighted as (
    select
        *,
        case when sample > 0 then {{ to_double('event_count') }} / sample end as value,
        cast({{ to_double('score') }} * weight as {{ control_type() }}) as weighted_score,
        cast({{ to_double('score') }} * {{ to_double('score') }} * weight as {{ control_type() }})
            as weighted_square
    from measured
),

summed as (
    select
        *,
        count(*) over earlier as earlier_cycle_count,
        {{ to_double('sum(weight) over earlier') }} as sum_of_weights,
        {{ to_double('sum(weighted_score) over earlier') }} as sum_of_scores,
        {{ to_double('sum(weighted_square) over earlier') }} as sum_of_squares
    from weighted
    window earlier as (
        partition by customer_id, product_id, measure, is_complete
        order by end_at, test_id
        rows between {{ var('control_chart_cycles') }} preceding and 1 preceding
    )
),

-- Cycles vary more than chance alone makes them if tests differ. They never count as varying less.
estimated as (
    select
        *,
        sum_of_scores / sum_of_weights as centre_score,
        {{ control_width('(earlier_cycle_count - 1)') }}
        * sqrt(
            greatest(
                {{ to_double(1) }},
                (sum_of_squares - sum_of_scores * sum_of_scores / sum_of_weights) / (earlier_cycle_count - 1)
            )
            * (1 / {{ to_double('weight') }} + 1 / sum_of_weights)
        ) as width
    from summed
    where
        is_complete
        and earlier_cycle_count >= {{ var('control_chart_minimum_cycles') }}
),

limited as (
    select
        customer_id,
        product_id,
        test_id,
        end_at,
        measure,
        is_rate,
        sample,
        value,
        {{ to_double(control_value('centre_score', 'sample', 'is_rate')) }} as centre,
        {{ to_double(control_value('(centre_score - width)', 'sample', 'is_rate')) }} as lower_limit,
        {{ to_double(control_value('(centre_score + width)', 'sample', 'is_rate')) }} as upper_limit
    from estimated
),

-- If less than half an event is expected, most cycles have none: that they are below the centre says nothing.
sided as (
    select
        *,
        case
            when centre * sample < 0.5 or (is_rate and (1 - centre) * sample < 0.5) then 0
            when value > centre then 1
            when value < centre then -1
            else 0
        end as side
    from limited
),

judged as (
    select
        *,
        sum(side) over (
            partition by customer_id, product_id, measure
            order by end_at, test_id
            rows between {{ var('control_chart_run') - 1 }} preceding and current row
        ) as sum_of_sides
    from sided
),

joined as (
    select
        summed.customer_id,
        summed.product_id,
        summed.test_id,
        summed.measure,
        {{ calendar_day('summed.end_at') }} as ended_on,
        summed.event_count,
        summed.sample,
        summed.value,
        summed.is_complete,
        case when summed.is_complete then summed.earlier_cycle_count end as earlier_cycle_count,
        judged.test_id is not null as is_judged,
        judged.centre,
        judged.lower_limit,
        judged.upper_limit,
        case
            when judged.value > judged.upper_limit then 'above'
            when judged.value < judged.lower_limit then 'below'
            when judged.sum_of_sides = {{ var('control_chart_run') }} then 'run_above'
            when judged.sum_of_sides = -{{ var('control_chart_run') }} then 'run_below'
        end as signal
    from summed
    left join judged
        on
            summed.customer_id = judged.customer_id
            and summed.test_id = judged.test_id
            and summed.measure = judged.measure
)

select
    *,
    {{ entity_key(['test_id', 'measure']) }} as control_chart_key,
    {{ entity_key('test_id') }} as test_key,
    {{ entity_key('product_id') }} as product_key
from joined
