with bugs as (
    select * from {{ ref('stg_bugs') }}
    where report_data is not null
),

present as (
    select * from {{ ref('fct_bugs') }}
),

entries as (
    {{ explode_object('bugs', 'report_data', keep=['bug_id', 'customer_id', 'report_title']) }}
    union all
    select
        bug_id,
        customer_id,
        report_title,
        'data' as entry_key,
        report_data as entry_value
    from bugs
    where left(report_data, 1) <> '{'
),

joined as (
    select
        entries.bug_id,
        entries.customer_id,
        present.product_id,
        present.test_id,
        entries.report_title,
        entries.entry_key as report_key,
        entries.entry_value as report_value
    from entries
    inner join present
        on
            entries.customer_id = present.customer_id
            and entries.bug_id = present.bug_id
)

select * from joined
