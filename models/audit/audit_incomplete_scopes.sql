-- loader/testio_loader/land/settled_scopes.py has the same rule for `status`; a test compares the two.
with reads as (
    select * from {{ ref('stg_ledger') }}
),

test_versions as (
    select * from {{ ref('int_record_versions') }}
    where
        endpoint = 'tests'
        and is_newest
),

ranked as (
    select
        customer_id,
        endpoint,
        product_id,
        test_id,
        outcome,
        is_complete,
        ids,
        read_at,
        max(case when is_complete then read_at end) over (partition by scope_key) as last_complete_at,
        row_number() over (partition by scope_key order by read_at desc, landed_at desc) as age,
        row_number() over (
            partition by scope_key, is_complete order by read_at desc, landed_at desc
        ) as age_of_kind
    from reads
),

incomplete as (
    select
        customer_id,
        endpoint,
        product_id,
        test_id,
        outcome,
        read_at,
        last_complete_at
    from ranked
    where
        age = 1
        and not is_complete
),

tests as (
    select distinct
        incomplete.customer_id,
        incomplete.test_id,
        test_versions.product_id
    from incomplete
    left join test_versions
        on
            incomplete.customer_id = test_versions.customer_id
            and incomplete.test_id = test_versions.record_id
    where incomplete.test_id is not null
),

complete_lists as (
    select
        customer_id,
        endpoint,
        product_id,
        test_id,
        ids,
        read_at
    from ranked
    where
        age_of_kind = 1
        and is_complete
        and endpoint in ('products', 'tests')
        and customer_id in (select incomplete.customer_id from incomplete)
),

product_lists as (
    select
        customer_id,
        ids,
        read_at
    from complete_lists
    where endpoint = 'products'
),

product_elements as (
    {{ explode('product_lists', 'ids', keep=['customer_id']) }}
),

listed_products as (
    select
        customer_id,
        {{ to_bigint('element') }} as product_id
    from product_elements
),

-- The list of a deleted product no longer counts: its tests are deleted with it.
test_lists as (
    select
        complete_lists.customer_id,
        complete_lists.product_id,
        complete_lists.test_id,
        complete_lists.ids,
        complete_lists.read_at
    from complete_lists
    left join product_lists on complete_lists.customer_id = product_lists.customer_id
    left join listed_products
        on
            complete_lists.customer_id = listed_products.customer_id
            and complete_lists.product_id = listed_products.product_id
    where
        complete_lists.endpoint = 'tests'
        and complete_lists.customer_id in (select tests.customer_id from tests)
        and (
            complete_lists.test_id is not null
            or product_lists.customer_id is null
            or listed_products.product_id is not null
        )
),

test_elements as (
    {{ explode('test_lists', 'ids', keep=['customer_id', 'product_id', 'test_id', 'read_at']) }}
),

-- Lists that have one of the tests: a product's list, or the list of this test alone.
having_lists as (
    select
        tests.customer_id,
        tests.test_id,
        test_elements.product_id as list_product_id,
        test_elements.test_id as list_test_id,
        test_elements.read_at
    from tests
    inner join test_elements
        on
            tests.customer_id = test_elements.customer_id
            and tests.test_id = {{ to_bigint('test_elements.element') }}
    where
        test_elements.test_id is null
        or test_elements.test_id = tests.test_id
),

seen as (
    select
        customer_id,
        test_id,
        max(read_at) as seen_at
    from having_lists
    group by customer_id, test_id
),

-- A test must be in the list of its product, or in its own list.
missing_lists as (
    select
        tests.customer_id,
        tests.test_id,
        test_lists.read_at
    from tests
    inner join test_lists
        on
            tests.customer_id = test_lists.customer_id
            and (tests.test_id = test_lists.test_id or tests.product_id = test_lists.product_id)
    left join having_lists
        on
            tests.customer_id = having_lists.customer_id
            and tests.test_id = having_lists.test_id
            and coalesce(test_lists.product_id, -1) = coalesce(having_lists.list_product_id, -1)
            and coalesce(test_lists.test_id, -1) = coalesce(having_lists.list_test_id, -1)
    where having_lists.test_id is null
),

missing_products as (
    select
        tests.customer_id,
        tests.test_id,
        product_lists.read_at
    from tests
    inner join product_lists on tests.customer_id = product_lists.customer_id
    left join listed_products
        on
            tests.customer_id = listed_products.customer_id
            and tests.product_id = listed_products.product_id
    where
        tests.product_id is not null
        and listed_products.product_id is null
),

-- If the product of a test is unknown, any list may have it, so every product's list must have been read.
all_lists as (
    select
        product_lists.customer_id,
        min(least(product_lists.read_at, coalesce(test_lists.read_at, product_lists.read_at))) as read_at
    from product_lists
    left join listed_products on product_lists.customer_id = listed_products.customer_id
    left join test_lists
        on
            listed_products.customer_id = test_lists.customer_id
            and listed_products.product_id = test_lists.product_id
    group by product_lists.customer_id
    having count(listed_products.product_id) = count(test_lists.product_id)
),

missed as (
    select
        customer_id,
        test_id,
        max(read_at) as missed_at
    from (
        select * from missing_lists
        union all
        select * from missing_products
        union all
        select
            tests.customer_id,
            tests.test_id,
            all_lists.read_at
        from tests
        inner join all_lists on tests.customer_id = all_lists.customer_id
        where tests.product_id is null
    ) as missing
    group by customer_id, test_id
),

unsettled as (
    select
        incomplete.customer_id,
        incomplete.endpoint,
        incomplete.product_id,
        incomplete.test_id,
        incomplete.outcome,
        incomplete.read_at,
        incomplete.last_complete_at
    from incomplete
    left join product_lists on incomplete.customer_id = product_lists.customer_id
    left join listed_products
        on
            incomplete.customer_id = listed_products.customer_id
            and incomplete.product_id = listed_products.product_id
    left join seen
        on
            incomplete.customer_id = seen.customer_id
            and incomplete.test_id = seen.test_id
    left join missed
        on
            incomplete.customer_id = missed.customer_id
            and incomplete.test_id = missed.test_id
    where
        case
            when incomplete.test_id is not null
                then
                    not coalesce(incomplete.endpoint = 'tests' and seen.seen_at > incomplete.read_at, false)
                    and not coalesce(
                        missed.missed_at > incomplete.read_at
                        and missed.missed_at > coalesce(seen.seen_at, incomplete.read_at),
                        false
                    )
            when incomplete.product_id is not null
                then
                    not coalesce(
                        product_lists.read_at > incomplete.read_at
                        and listed_products.product_id is null,
                        false
                    )
            else true
        end
)

select * from unsettled
