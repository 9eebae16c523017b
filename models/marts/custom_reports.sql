with bugs as (
    select * from {{ ref('stg_bugs') }}
    where report_data is not null
),

present as (
    select * from {{ ref('fct_bugs') }}
),

members as (
    {{ explode_object('bugs', 'report_data', keep=['bug_id', 'customer_id']) }}
),

elements as (
    {{ explode('bugs', 'report_data', keep=['bug_id', 'customer_id']) }}
),

pairs as (
    {{ project('elements', 'element', [
        ('pair_key', 'key', 'label'),
        ('pair_value', 'value', 'json'),
    ], keep=['bug_id', 'customer_id', 'element_number', 'element']) }}
),

-- A list without any pair is kept whole, and so is an element without a key or without a value.
counted as (
    select
        *,
        count(pair_key) over (partition by customer_id, bug_id) as pair_count
    from pairs
),

entries as (
    select
        bug_id,
        customer_id,
        0 as element_number,
        entry_key,
        entry_value
    from members
    union all
    select
        bug_id,
        customer_id,
        element_number,
        pair_key as entry_key,
        case when pair_key is not null and element like '%"value":%' then pair_value else element end
            as entry_value
    from counted
    where pair_count > 0
),

reports as (
    select
        bugs.bug_id,
        bugs.customer_id,
        bugs.report_title,
        entries.element_number,
        case when entries.bug_id is null then bugs.report_data else entries.entry_value end as entry_value,
        coalesce({{ named('entries.entry_key') }}, 'data') as entry_key
    from bugs
    left join entries
        on
            bugs.customer_id = entries.customer_id
            and bugs.bug_id = entries.bug_id
    where
        entries.bug_id is not null
        or bugs.report_data <> '{}'
),

numbered as (
    select
        reports.bug_id,
        reports.customer_id,
        cast(row_number() over (
            partition by reports.customer_id, reports.bug_id
            order by
                reports.element_number,
                {{ sortable('reports.entry_key') }},
                {{ sortable('reports.entry_value') }}
        ) as bigint) as entry_number,
        present.product_id,
        present.test_id,
        reports.report_title,
        reports.entry_key as report_key,
        reports.entry_value as report_value
    from reports
    inner join present
        on
            reports.customer_id = present.customer_id
            and reports.bug_id = present.bug_id
)

select
    *,
    {{ entity_key(['bug_id', 'entry_number']) }} as custom_report_key,
    {{ entity_key('bug_id') }} as bug_key,
    {{ entity_key('product_id', 'unknown') }} as product_key,
    {{ entity_key('test_id') }} as test_key
from numbered
