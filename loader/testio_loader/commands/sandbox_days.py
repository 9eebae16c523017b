"""Plays the days of a sandbox account: after each day, a load reads what has changed."""

from typing import TYPE_CHECKING

import click

from testio_loader.commands.destination import configured_warehouse
from testio_loader.commands.failure import CommandError, explained
from testio_loader.commands.process import keep_memory_small

if TYPE_CHECKING:
    from testio_loader.land.pipeline import LoadReport
    from testio_loader.warehouses import Warehouse
    from testio_sandbox import Account


@explained
def play(account: "Account", url: str, customer_id: int, days: int, destination: str) -> None:
    """Load an account that is served at a URL on each of its days, from its present one on.

    A load has the time of its day, because it reads what the API would have answered then.

    Raises:
        CommandError: if the warehouse has loads already, or a load is incomplete.
    """
    from testio_loader import clock, customers, settings
    from testio_loader.land import pipeline

    keep_memory_small()
    settings.refuse_wrong()
    warehouse = configured_warehouse(destination)
    customer = customers.Customer(customers.DEFAULT, customer_id, "sandbox", url)
    with warehouse.locked():
        _refuse_used(warehouse)
        for day in range(1, days + 1):
            if day > 1:
                account.next_day()
            with clock.turned_back_to(account.now):
                report = pipeline.load(warehouse, customer)
            click.echo(f"Day {day} of {days}, {account.today}: {_bugs(report)}", err=True)
            if report.problems:
                raise CommandError("; ".join(report.problems))


def _refuse_used(warehouse: "Warehouse") -> None:
    """Refuse a warehouse with loads, as these are later than the days to play."""
    from testio_loader.land.ledger import ledger_of

    ledger = ledger_of(warehouse)
    if ledger and ledger.loads(1):
        raise CommandError(
            "--days needs a warehouse without loads: name a new file in TESTIO_DUCKDB_PATH, or "
            "delete this one"
        )


def _bugs(report: "LoadReport") -> str:
    bugs = next(endpoint for endpoint in report.endpoints if endpoint.endpoint == "bugs")
    return f"{bugs.records:,} bugs read, {bugs.versions:,} new or changed"
