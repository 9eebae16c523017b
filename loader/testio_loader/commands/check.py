"""`testio-loader check`: check before a load whether it can work."""

import sys
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, NamedTuple

import click

from testio_loader.commands.destination import configured_warehouse, destination_option
from testio_loader.commands.failure import one_line
from testio_loader.commands.termination import ends_when_told
from testio_loader.errors import AccountChangedError, ConfigurationError, LoaderError

if TYPE_CHECKING:
    from testio_loader.customers import Customer
    from testio_loader.land.ledger import LedgerReader
    from testio_loader.read.refresh_policy import EarlierLoads
    from testio_loader.warehouses import Warehouse


class Finding(NamedTuple):
    """One result of a check."""

    is_ok: bool
    text: str


@click.command()
@destination_option
@ends_when_told("nothing was changed")
def check(destination: str) -> None:
    """Check whether a load can work.

    Checks configuration, tokens, the API and the warehouse, and changes nothing. Prints one line
    per finding. The exit status is 1 if a finding is `not ok`.

    Example: testio-loader check --destination postgres
    """
    is_fine = True
    for finding in _findings(destination):
        is_fine &= finding.is_ok
        click.echo(f"{'ok' if finding.is_ok else 'not ok':<7} {finding.text}")
    sys.exit(not is_fine)


def _findings(destination: str) -> Iterator[Finding]:
    import duckdb
    from dlt.common.configuration.exceptions import ConfigurationException
    from dlt.common.exceptions import DltException

    try:
        yield from _all_findings(destination)
    except ConfigurationException as error:  # dlt cannot read its configuration
        yield Finding(False, f"configuration: {one_line(error)}")
    except (DltException, duckdb.Error, OSError) as error:
        yield Finding(False, one_line(error))


def _all_findings(destination: str) -> Iterator[Finding]:
    from testio_loader import settings
    from testio_loader.customers import configured_customers

    customers: list[Customer] = []
    try:
        customers = configured_customers()
        names = ", ".join(f"{customer.name} ({customer.customer_id})" for customer in customers)
        yield Finding(True, f"configuration: {names}")
    except ConfigurationError as error:
        yield Finding(False, f"configuration: {error}")
    problems = [*settings.wrong(), *settings.unknown()]
    for problem in problems:
        yield Finding(False, f"settings: {problem}")
    if not problems:
        yield Finding(True, "settings: found no unknown name and no invalid value")
    known: dict[int, EarlierLoads] = {}
    try:
        if ledger := (yield from _warehouse(configured_warehouse(destination))):
            known = {of.customer_id: ledger.known(of.customer_id) for of in customers}
    except LoaderError as error:
        yield Finding(False, f"warehouse: {error}")
    for customer in customers:
        yield _account(customer, known.get(customer.customer_id))


def _warehouse(
    warehouse: "Warehouse",
) -> "Generator[Finding, None, LedgerReader | None]":
    """Check the warehouse and return its ledger, unless a load is writing to it."""
    from testio_loader.land import pipeline
    from testio_loader.land.ledger import ledger_of

    if holder := warehouse.holder():
        yield Finding(False, f"lock: {warehouse.name} is being loaded by {holder}")
        return None
    yield Finding(True, "lock: no load is running")
    if pipeline.has_interrupted_load(warehouse):
        yield Finding(False, "interrupted load: the next `load` finishes or undoes it first")
    else:
        yield Finding(True, "interrupted load: none")
    for is_ok, text in warehouse.findings():
        yield Finding(is_ok, text)
    return ledger_of(warehouse)


def _account(customer: "Customer", known: "EarlierLoads | None") -> Finding:
    from testio_loader.api.base import CallError
    from testio_loader.api.client import Client
    from testio_loader.api.endpoints import PRODUCTS
    from testio_loader.read import account_check
    from testio_loader.read.scope import COMPLETE, Scope

    where = f"customer {customer.name}: {customer.shown_url}"
    try:
        api = Client(customer.base_url, customer.api_token)
        answer = api.get(PRODUCTS.path, PRODUCTS.answer_keys, is_last_try=True)
    except ConfigurationError as failure:
        return Finding(False, f"customer {customer.name}: {failure}")
    except CallError as failure:
        return Finding(False, f"{where}: {failure.explained}")
    scope = Scope(PRODUCTS, customer.customer_id)
    products = list(scope.keyed(answer.value))
    if scope.outcome != COMPLETE:
        return Finding(False, f"{where}: products: {scope.outcome}")
    so_far = ""
    if known:
        so_far = f", {len(known.tests()):,} tests so far" if known.last_at else ""
        try:
            account_check.check(customer.customer_id, scope, products, known)
        except AccountChangedError as error:
            return Finding(False, f"{where}: {error}")
    return Finding(True, f"{where} accepts the token; {len(answer.value):,} products{so_far}")
