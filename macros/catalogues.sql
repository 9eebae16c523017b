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
{% macro catalogue_records(table) -%}
    select versions.*
    from {{ source('testio_raw', table) }} as versions
    inner join (
        select
            newest.customer_id,
            newest.id,
            newest.product_id,
            newest.loaded_at,
            newest.content_hash,
            newest._dlt_load_id,
            row_number() over (
                partition by newest.customer_id, newest.id
                order by case when listed.id is null then 1 else 0 end, newest.product_id
            ) as place
        from (
            select
                landed.customer_id,
                landed.id,
                landed.product_id,
                landed.loaded_at,
                landed.content_hash,
                landed._dlt_load_id,
                row_number() over (
                    partition by landed.customer_id, landed.id, landed.product_id
                    order by {{ testio.newest_first(table) }}
                ) as age
            from (
                {{ testio.landed_rows(table) }}
            ) as landed
        ) as newest
        left join (
            {{ testio.listed_by_products('(' ~ testio.landed_rows('ledger') ~ ')', table) }}
        ) as listed
            on
                newest.customer_id = listed.customer_id
                and newest.id = listed.id
                and newest.product_id = listed.product_id
        where newest.age = 1
    ) as chosen
        on
            versions.customer_id = chosen.customer_id
            and versions.id = chosen.id
            and versions.product_id = chosen.product_id
            and versions.loaded_at = chosen.loaded_at
            and versions.content_hash = chosen.content_hash
            and versions._dlt_load_id = chosen._dlt_load_id
            and chosen.place = 1
{%- endmacro %}
