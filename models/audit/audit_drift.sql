with current_versions as (
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
    where
        versions.is_newest
        and (present.record_id is not null or versions.endpoint = 'reject_reasons')
),
{% for endpoint in endpoints() %}
{{ endpoint }}_documents as (
    select
        landed.customer_id,
        landed.payload,
        {{ to_utc('landed.loaded_at') }} as loaded_at,
        current_versions.content_hash is not null as is_current
    from (
        {{ landed_rows(endpoint) }}
    ) as landed
    left join current_versions
        on
            landed.customer_id = current_versions.customer_id
            and landed.content_hash = current_versions.content_hash
            and {{ to_utc('landed.loaded_at') }} = current_versions.loaded_at
            and current_versions.endpoint = '{{ endpoint }}'
),

{{ endpoint }}_paths as (
    {{ json_paths(endpoint ~ '_documents', 'payload', keep=['customer_id', 'loaded_at', 'is_current']) }}
),
{% endfor %}
all_paths as (
    {%- for endpoint in endpoints() %}
    select
        '{{ endpoint }}' as endpoint,
        customer_id,
        json_path,
        json_type,
        loaded_at,
        is_current
    from {{ endpoint }}_paths
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
),

paths as (
    select
        customer_id,
        endpoint,
        json_path,
        json_type,
        min(loaded_at) as first_seen_at,
        max(loaded_at) as last_seen_at,
        max(case when is_current then 1 else 0 end) = 0 as is_gone
    from all_paths
    group by customer_id, endpoint, json_path, json_type
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

-- Where there is null instead of a value, neither the path nor its type has changed; what stands under
-- keys that are data has types of its own.
judged as (
    select
        customer_id,
        endpoint,
        json_path,
        json_type,
        case json_type when 'null' then path_first_seen_at else first_seen_at end > first_loaded_at as is_new,
        is_gone,
        json_type <> 'null' and type_count > 1 and json_path not like '%*' as is_type_changed,
        first_seen_at,
        last_seen_at
    from compared
)

select * from judged
