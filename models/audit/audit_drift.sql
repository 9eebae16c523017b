-- Gone versions instead of current ones: a first load has none, so the join with payloads is small.
with gone_versions as (
    select
        versions.customer_id,
        versions.endpoint,
        versions.content_hash,
        versions.loaded_at
    from {{ ref('int_record_versions') }} as versions
    left join {{ ref('int_present_records') }} as present
        on
            versions.customer_id = present.customer_id
            and versions.endpoint = present.endpoint
            and versions.record_id = present.record_id
    group by versions.customer_id, versions.endpoint, versions.content_hash, versions.loaded_at
    having
        max(case
            when not versions.is_newest then 0
            when present.record_id is not null or versions.endpoint = 'reject_reasons' then 1
            else 0
        end) = 0
),
{% for endpoint in endpoints() %}
{{ endpoint }}_documents as (
    select
        landed.customer_id,
        landed.payload,
        {{ to_utc('landed.loaded_at') }} as first_seen_at,
        {{ to_utc('landed.loaded_at') }} as last_seen_at,
        case when gone_versions.content_hash is null then 0 else 1 end as is_gone
    from {{ ref('base_' ~ endpoint) }} as landed
    left join gone_versions
        on
            landed.customer_id = gone_versions.customer_id
            and landed.content_hash = gone_versions.content_hash
            and {{ to_utc('landed.loaded_at') }} = gone_versions.loaded_at
            and gone_versions.endpoint = '{{ endpoint }}'
),

{{ endpoint }}_paths as (
    {{ json_paths(
        endpoint ~ '_documents',
        'payload',
        keep=['customer_id'],
        extremes={'first_seen_at': 'min', 'last_seen_at': 'max', 'is_gone': 'min'}
    ) }}
),
{% endfor %}
paths as (
    {%- for endpoint in endpoints() %}
    select
        '{{ endpoint }}' as endpoint,
        customer_id,
        json_path,
        json_type,
        first_seen_at,
        last_seen_at,
        is_gone
    from {{ endpoint }}_paths
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
),

compared as (
    select
        *,
        min(first_seen_at) over (partition by customer_id, endpoint) as first_loaded_at,
        min(first_seen_at) over (partition by customer_id, endpoint, json_path) as path_first_seen_at,
        count(case when json_type <> 'null' then 1 end) over (
            partition by customer_id, endpoint, json_path
        ) as type_count
    from paths
),

-- A null instead of a value changes neither the path nor its type. Values under keys that are data
-- may have different types.
judged as (
    select
        customer_id,
        endpoint,
        json_path,
        json_type,
        case json_type when 'null' then path_first_seen_at else first_seen_at end > first_loaded_at as is_new,
        is_gone = 1 as is_gone,
        json_type <> 'null' and type_count > 1 and json_path not like '%*' as is_type_changed,
        first_seen_at,
        last_seen_at
    from compared
)

select * from judged
