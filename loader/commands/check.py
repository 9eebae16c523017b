"""`testio-loader check`: whether a load could work, before one is started."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from loader.commands.failure import one_line

if TYPE_CHECKING:
    from loader.customers import Customer


class Finding(NamedTuple):
    """What a check has found."""

    is_ok: bool
    text: str


@click.command()
def check() -> None:
    """Say whether a load could work.

    Looks at configuration, tokens, the API and the warehouse, and changes nothing. One line a
    finding; the exit status is 1 if anything is not fine.
    """
    is_fine = True
    for finding in _findings():
        is_fine &= finding.is_ok
        click.echo(f"{'ok' if finding.is_ok else 'not ok':<7} {finding.text}")
    sys.exit(not is_fine)


def _findings() -> Iterator[Finding]:
    import duckdb
    from dlt.common.configuration.exceptions import ConfigurationException
    from dlt.common.exceptions import DltException

    try:
        yield from _all_findings()
    except ConfigurationException as error:  # what dlt cannot read at all
        yield Finding(False, f"configuration: {one_line(error)}")
    except (DltException, duckdb.Error, OSError) as error:
        yield Finding(False, one_line(error))


def _all_findings() -> Iterator[Finding]:
    from loader.customers import BadConfiguration, configured_customers
    from loader.warehouse import BadWarehouse, warehouse_path

    customers: list[Customer] = []
    path: Path | None = None
    try:
        customers = configured_customers()
        names = ", ".join(f"{customer.name} ({customer.customer_id})" for customer in customers)
        yield Finding(True, f"configuration: {names}")
    except BadConfiguration as error:
        yield Finding(False, f"configuration: {error}")
    try:
        path = warehouse_path()
    except BadWarehouse as error:
        yield Finding(False, f"warehouse: {error}")
    tests: dict[int, int] = {}
    if path:
        yield from _warehouse(path, tests)
    for customer in customers:
        yield _account(customer, tests.get(customer.customer_id))


def _warehouse(path: Path, tests: dict[int, int]) -> Iterator[Finding]:
    """Check the file, if no load is writing to it; fill in how many tests a customer has."""
    from loader import pipeline, warehouse

    if holder := warehouse.holder(path):
        yield Finding(False, f"lock: {path.name} is being loaded by {holder}")
        return
    yield Finding(True, "lock: nobody is loading")
    if pipeline.has_interrupted_load(path):
        yield Finding(False, "interrupted load: its rest is still to land; `load` does that first")
    else:
        yield Finding(True, "interrupted load: none")
    if not path.exists():
        can_create = os.access(path.parent, os.W_OK)
        yield Finding(
            can_create,
            f"warehouse: {path} {'will be created' if can_create else 'cannot be created'}",
        )
        return
    try:
        warehouse.check(path)
        version = warehouse.storage_version(path)
        if ledger := pipeline.ledger_of(path):
            tests |= {status.customer_id: status.tests for status in ledger.customers()}
    except (warehouse.WarehouseBusy, warehouse.BadWarehouse) as error:
        yield Finding(False, f"warehouse: {error}")
        return
    yield Finding(True, f"warehouse: {path} is writable")
    yield Finding(
        version == warehouse.STORAGE_VERSION,
        f"storage version: {version}; the newest that DuckDB 1.x clients can open is "
        f"{warehouse.STORAGE_VERSION}",
    )


def _account(customer: "Customer", tests: int | None) -> Finding:
    from loader.api import CallFailed
    from loader.client import Client
    from loader.endpoints import PRODUCTS

    api = Client(customer.base_url, customer.api_token)
    where = f"customer {customer.name}: {customer.shown_url}"
    try:
        answer = api.get(PRODUCTS.path, PRODUCTS.answer_keys, is_last_try=True)
    except CallFailed as failure:
        return Finding(False, f"{where}: {failure}")
    known = "" if tests is None else f", {tests:,} tests so far"
    return Finding(True, f"{where} accepts the token; {len(answer.value):,} products{known}")
