{# The reads that count for a scope are the latest complete one and any later ones. #}
{% macro standing_ids(reads, endpoint) -%}
    select
        customer_id,
        product_id,
        {{ testio.to_bigint('element') }} as id
    from (
        {{ testio.explode(
            "(
            select
                customer_id,
                product_id,
                ids
            from (
                select
                    reads.customer_id,
                    reads.product_id,
                    reads.ids,
                    reads.read_at,
                    max(case when reads.is_complete then reads.read_at end) over (
                        partition by reads.customer_id, reads.product_id, reads.test_id
                    ) as complete_at
                from " ~ reads ~ " as reads
                where reads.endpoint = '" ~ endpoint ~ "'
            ) as aged
            where complete_at is null or read_at >= complete_at
        ) as standing", 'ids', keep=['customer_id', 'product_id']) }}
    ) as elements
{%- endmacro %}

{# Lists of deleted products do not count, although they are still in the ledger. #}
{% macro listed_by_products(reads, endpoint) -%}
    select distinct
        listed.customer_id,
        listed.product_id,
        listed.id
    from (
        {{ testio.standing_ids(reads, endpoint) }}
    ) as listed
    inner join (
        {{ testio.standing_ids(reads, 'products') }}
    ) as products
        on
            listed.customer_id = products.customer_id
            and listed.product_id = products.id
{%- endmacro %}

{# Several products can list the same record. The product that it gets must not depend on which version landed
   last. #}
{% macro catalogue_records(endpoint) -%}
    select *
    from (
        select
            versions.*,
            row_number() over (
                partition by versions.customer_id, versions.id
                order by
                    case when listed.id is null then 1 else 0 end,
                    versions.product_id,
                    versions.version_age
            ) as place
        from {{ ref('base_' ~ endpoint) }} as versions
        left join (
            {{ testio.listed_by_products(ref('stg_ledger'), endpoint) }}
        ) as listed
            on
                versions.customer_id = listed.customer_id
                and versions.id = listed.id
                and versions.product_id = listed.product_id
    ) as placed
    where place = 1
{%- endmacro %}
