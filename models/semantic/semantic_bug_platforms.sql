with bugs as (
    select * from {{ ref('wide_bugs') }}
    where is_counted
),

platforms as (
    select * from {{ ref('bridge_bug_platforms') }}
),

joined as (
    select
        bugs.bug_key,
        platforms.platform_number,
        bugs.test_key,
        bugs.feature_key,
        bugs.tester_key,
        bugs.severity,
        bugs.known_bug,
        bugs.is_accepted,
        bugs.is_auto_accepted,
        bugs.is_rejected,
        platforms.device_category,
        platforms.device_vendor,
        platforms.device_name,
        platforms.operating_system,
        platforms.operating_system_version,
        platforms.browser,
        bugs.ended_on
    from bugs
    inner join platforms
        on
            bugs.customer_id = platforms.customer_id
            and bugs.bug_id = platforms.bug_id
)

select * from joined
