with bugs as (
    select * from {{ ref('fct_bugs') }}
),

devices as (
    select * from {{ ref('stg_bug_devices') }}
),

browsers as (
    select * from {{ ref('stg_bug_browsers') }}
    where browser is not null
),

-- Left joins keep bugs without a device and devices without a browser, so that every bug has a platform.
platforms as (
    select
        bugs.customer_id,
        bugs.bug_id,
        bugs.product_id,
        bugs.test_id,
        coalesce(devices.category, 'unknown') as device_category,
        coalesce(devices.vendor, 'unknown') as device_vendor,
        coalesce(devices.device_name, 'unknown') as device_name,
        coalesce(devices.operating_system, 'unknown') as operating_system,
        coalesce(devices.operating_system_version, 'unknown') as operating_system_version,
        coalesce(browsers.browser, 'unknown') as browser,
        min(coalesce(devices.device_number, 0)) as device_number,
        min(coalesce(browsers.browser_number, 0)) as browser_number
    from bugs
    left join devices
        on
            bugs.customer_id = devices.customer_id
            and bugs.bug_id = devices.bug_id
    left join browsers
        on
            devices.customer_id = browsers.customer_id
            and devices.bug_id = browsers.bug_id
            and devices.device_number = browsers.device_number
    group by
        bugs.customer_id,
        bugs.bug_id,
        bugs.product_id,
        bugs.test_id,
        coalesce(devices.category, 'unknown'),
        coalesce(devices.vendor, 'unknown'),
        coalesce(devices.device_name, 'unknown'),
        coalesce(devices.operating_system, 'unknown'),
        coalesce(devices.operating_system_version, 'unknown'),
        coalesce(browsers.browser, 'unknown')
),

numbered as (
    select
        bug_id,
        customer_id,
        cast(row_number() over (
            partition by customer_id, bug_id
            order by
                device_number,
                browser_number,
                {{ sortable('device_name') }},
                {{ sortable('browser') }}
        ) as bigint) as platform_number,
        product_id,
        test_id,
        device_category,
        device_vendor,
        device_name,
        operating_system,
        operating_system_version,
        browser
    from platforms
)

select
    *,
    {{ entity_key(['bug_id', 'platform_number']) }} as bug_platform_key,
    {{ entity_key('bug_id') }} as bug_key,
    {{ entity_key('product_id', 'unknown') }} as product_key,
    {{ entity_key('test_id') }} as test_key
from numbered
