with sections as (
    select * from {{ ref('stg_sections') }}
),

customers as (
    select * from {{ ref('int_customers') }}
),

products as (
    select * from {{ ref('stg_products') }}
),

deleted_products as (
    select * from {{ ref('int_deleted_records') }}
    where endpoint = 'products'
),

tests as (
    select * from {{ ref('stg_tests') }}
),

bugs as (
    select * from {{ ref('stg_bugs') }}
),

-- A test or bug can name a section that no product lists.
mentions as (
    select
        tests.customer_id,
        tests.section_id,
        tests.product_id,
        tests.section_name
    from tests
    where tests.section_id is not null
    union all
    select
        bugs.customer_id,
        bugs.section_id,
        tests.product_id,
        cast(null as {{ dbt.type_string() }}) as section_name
    from bugs
    left join tests
        on
            bugs.customer_id = tests.customer_id
            and bugs.test_id = tests.test_id
    where bugs.section_id is not null
),

mentioned as (
    select
        customer_id,
        section_id,
        max(product_id) as product_id,
        {{ last_text('section_name') }} as section_name
    from mentions
    group by customer_id, section_id
),

all_sections as (
    select
        section_id,
        customer_id,
        product_id,
        section_name,
        false as is_inferred,
        not is_listed as is_unlisted
    from sections
    union all
    select
        mentioned.section_id,
        mentioned.customer_id,
        mentioned.product_id,
        mentioned.section_name,
        true as is_inferred,
        false as is_unlisted
    from mentioned
    left join sections
        on
            mentioned.customer_id = sections.customer_id
            and mentioned.section_id = sections.section_id
    where sections.section_id is null
),

marked as (
    select
        all_sections.section_id,
        all_sections.customer_id,
        all_sections.product_id,
        all_sections.section_name,
        coalesce(all_sections.section_id = products.default_section_id, false) as is_default,
        all_sections.is_inferred,
        all_sections.is_unlisted or deleted_products.record_id is not null as is_deleted
    from all_sections
    left join products
        on
            all_sections.customer_id = products.customer_id
            and all_sections.product_id = products.product_id
    left join deleted_products
        on
            all_sections.customer_id = deleted_products.customer_id
            and all_sections.product_id = deleted_products.record_id
),

-- A test or bug can have no section.
members as (
    select
        {{ entity_key('section_id') }} as section_key,
        *,
        false as is_placeholder
    from marked
    union all
    select
        {{ entity_key("'none'") }} as section_key,
        cast(null as bigint) as section_id,
        customer_id,
        cast(null as bigint) as product_id,
        'none' as section_name,
        false as is_default,
        false as is_inferred,
        false as is_deleted,
        true as is_placeholder
    from customers
)

select
    *,
    {{ entity_key('product_id', 'unknown') }} as product_key
from members
