"""Finds the customers that own the products or tests that a load selects."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from testio_loader.api.base import Api, CallError, NotFoundError, RefusedError
from testio_loader.api.client import Client
from testio_loader.api.endpoints import PRODUCTS, TEST_DETAILS
from testio_loader.api.recording import RecordedApi
from testio_loader.api.values import record_id
from testio_loader.customers import Customer
from testio_loader.errors import LoaderError, UnknownIdError
from testio_loader.land.ledger import LedgerReader, ledger_of
from testio_loader.land.pipeline import Selection, archive_of
from testio_loader.warehouses import Warehouse


def parts(
    warehouse: Warehouse, customers: Sequence[Customer], selection: Selection
) -> list[tuple[Customer, Selection]]:
    """Return the customers to read, each with the selected products or tests that it has.

    If no customer has an id for certain, it is read from every customer whose API did not answer.
    With one customer, or nothing selected, no API is called.

    Raises:
        UnknownIdError: if one of the ids belongs to no customer.
    """
    by_product = bool(selection.product_ids)
    wanted = selection.product_ids or selection.test_ids
    if len(customers) == 1 or not wanted:
        return [(customer, selection) for customer in customers]
    if by_product:
        answers = [_has_products(customer, selection) for customer in customers]
    else:
        ledger = ledger_of(warehouse)
        answers = [_has_tests(customer, selection, ledger) for customer in customers]
    own_ids: list[list[int]] = [[] for _ in customers]
    for id_ in dict.fromkeys(wanted):
        owners = [at for at, has in enumerate(answers) if has[id_]]
        owners = owners or [at for at, has in enumerate(answers) if has[id_] is None]
        if not owners:
            kind = "product" if by_product else "test"
            raise UnknownIdError(f"no customer has {kind} {id_}; nothing was read")
        for at in owners:
            own_ids[at].append(id_)
    return [
        (
            customer,
            replace(selection, product_ids=own) if by_product else replace(selection, test_ids=own),
        )
        for customer, own in zip(customers, own_ids, strict=True)
        if own
    ]


def _has_products(customer: Customer, selection: Selection) -> dict[int, bool | None]:
    """Return whether a customer has each selected product; None if unknown."""
    try:
        found = _api(customer, selection).get(PRODUCTS.path, PRODUCTS.answer_keys).value
    except (CallError, LoaderError):
        return dict.fromkeys(selection.product_ids)
    ids = [*map(record_id, found)]
    unknown = None if None in ids else False
    return {id_: id_ in ids or unknown for id_ in selection.product_ids}


def _has_tests(
    customer: Customer, selection: Selection, ledger: LedgerReader | None
) -> dict[int, bool | None]:
    """Return whether a customer has or had each selected test; None if unknown."""
    known: set[int] = set()
    if ledger:
        loaded = ledger.known(customer.customer_id)
        known = {*loaded.read_at, *loaded.tests()}
    try:
        api = _api(customer, selection)
    except LoaderError:
        return dict.fromkeys(selection.test_ids)
    return {id_: id_ in known or _has_test(api, id_) for id_ in selection.test_ids}


def _has_test(api: Api, test_id: int) -> bool | None:
    path = TEST_DETAILS.path.format(test_id=test_id)
    try:
        if api.has(path):
            api.get(path, TEST_DETAILS.answer_keys, is_object=True)
            return True
    except (NotFoundError, RefusedError):  # the API refuses tests of other customers
        return False
    except CallError:
        return None
    return False


def _api(customer: Customer, selection: Selection) -> Api:
    folder = archive_of(selection.replay_from, customer)
    return RecordedApi(Path(folder)) if folder else Client(customer.base_url, customer.api_token)
