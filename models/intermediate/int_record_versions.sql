with versions as (
    {%- for endpoint, scope in endpoints().items() %}
    select
        customer_id,
        '{{ endpoint }}' as endpoint,
        {{ 'cast(null as bigint)' if endpoint == 'reject_reasons' else 'id' }} as record_id,
        {{ 'product_id' if scope == 'product' else 'cast(null as bigint)' }} as product_id,
        {{ {'test': 'test_id', 'test itself': 'id'}.get(scope, 'cast(null as bigint)') }} as test_id,
        _dlt_load_id as load_id,
        content_hash,
        loaded_at,
        version_age
    from {{ ref('base_' ~ endpoint) }}
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
),

renamed as (
    select
        -- keys
        customer_id,
        record_id,
        product_id,
        test_id,
        load_id,

        -- text
        endpoint,
        {{ scope_key() }} as scope_key,
        case endpoint when 'tests' then {{ scope_key('null', 'record_id') }} end as alone_scope_key,
        content_hash,

        -- flags
        version_age = 1 as is_newest,

        -- times
        {{ to_utc('loaded_at') }} as loaded_at
    from versions
)

select * from renamed
