"""Finds the scopes that are still incomplete: a later read of another scope can settle one.

`models/audit/audit_incomplete_scopes.sql` has the same rule in SQL; a test compares the two.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from testio_loader.api.endpoints import TESTS


@dataclass(frozen=True)
class IncompleteScope:
    """A scope whose latest read is incomplete."""

    endpoint: str
    product_id: int | None
    test_id: int | None
    outcome: str
    read_at: datetime


@dataclass(frozen=True)
class CompleteList:
    """The latest complete read of a list of products or tests."""

    ids: frozenset[int]
    read_at: datetime


@dataclass
class Lists:
    """The latest complete lists of one customer's products and tests."""

    products: CompleteList | None = None
    tests: dict[int, CompleteList] = field(default_factory=dict)
    """By product."""
    single_tests: dict[int, CompleteList] = field(default_factory=dict)
    """By test: the result of reading this test alone."""


def unsettled(
    scopes: Iterable[IncompleteScope], lists: Lists, product_ids: Mapping[int, int | None]
) -> list[IncompleteScope]:
    """Return the scopes that no later read has settled.

    A scope of a product is settled when a later list of products lacks the product. A scope of a
    test is settled when later lists show that the test is deleted. The scope of a test that was
    read alone is also settled when a later list has the test.

    Args:
        scopes: incomplete scopes of one customer.
        lists: the customer's latest complete lists.
        product_ids: the product of each test with an incomplete scope.
    """
    return [scope for scope in scopes if not _is_settled(scope, lists, product_ids)]


def _is_settled(
    scope: IncompleteScope, lists: Lists, product_ids: Mapping[int, int | None]
) -> bool:
    products = lists.products
    if scope.test_id is not None:
        seen_at = _seen_at(scope.test_id, lists)
        if seen_at and scope.endpoint == TESTS.name and seen_at > scope.read_at:
            return True
        missed_at = _missed_at(scope.test_id, lists, product_ids.get(scope.test_id))
        is_gone = missed_at is not None and (seen_at is None or seen_at < missed_at)
        return is_gone and missed_at is not None and missed_at > scope.read_at
    if scope.product_id is not None and products:
        return products.read_at > scope.read_at and scope.product_id not in products.ids
    return False


def _seen_at(test_id: int, lists: Lists) -> datetime | None:
    """Return when a list last had the test; the lists of deleted products do not count."""
    return max(
        (
            found.read_at
            for found in (*_present(lists).values(), lists.single_tests.get(test_id))
            if found and test_id in found.ids
        ),
        default=None,
    )


def _missed_at(test_id: int, lists: Lists, product_id: int | None) -> datetime | None:
    """Return when a list that should have the test last lacked it.

    These are the list of its product, the list of products if its product is deleted, and the read
    of the test alone. If its product is unknown, they are all lists together.
    """
    missing: list[datetime] = []
    single, products, tests = lists.single_tests.get(test_id), lists.products, _present(lists)
    if single and test_id not in single.ids:
        missing.append(single.read_at)
    if product_id is not None:
        if products and product_id not in products.ids:
            missing.append(products.read_at)
        if (of_product := tests.get(product_id)) and test_id not in of_product.ids:
            missing.append(of_product.read_at)
    elif products and products.ids == tests.keys():
        missing.append(min([products.read_at, *(found.read_at for found in tests.values())]))
    return max(missing, default=None)


def _present(lists: Lists) -> dict[int, CompleteList]:
    """Return the lists of tests of the products that still exist."""
    products = lists.products
    return {id_: found for id_, found in lists.tests.items() if not products or id_ in products.ids}
