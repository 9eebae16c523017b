"""`testio-loader status`: what the warehouse knows of its loads."""

from dataclasses import asdict
from datetime import UTC, datetime

import click

from testio_loader.commands.destination import configured_warehouse, destination_option
from testio_loader.commands.failure import CommandError, explained
from testio_loader.commands.termination import ends_when_told


@click.command()
@destination_option
@click.option("--json", "as_json", is_flag=True, help="Write JSON to stdout.")
@explained
@ends_when_told("nothing was changed")
def status(destination: str, as_json: bool) -> None:
    """Show how loads went, and how old the data are.

    That is the last loads, what is incomplete or in quarantine, and by customer how many tests
    there are and when the one that was read longest ago was read.
    """
    from testio_loader.commands.report import print_json, print_lines, print_table
    from testio_loader.customers import customer_ids
    from testio_loader.land.ledger import ledger_of

    warehouse = configured_warehouse(destination)
    if holder := warehouse.holder():
        raise CommandError(
            f"{warehouse.name} is being loaded by {holder}; ask again when it has ended"
        )
    ledger = ledger_of(warehouse)
    if ledger is None:
        raise CommandError(f"there is nothing in {warehouse.name}; `testio-loader load` fills it")
    with warehouse.opened(read_only=True):
        loads, customers = ledger.loads(), ledger.customers()
        incomplete, quarantine = ledger.incomplete(), ledger.quarantine()
    if not loads:
        raise CommandError(f"no load has landed in {warehouse.name} yet")
    if as_json:
        print_json(
            {
                "loads": [asdict(load) for load in loads],
                "customers": [asdict(customer) for customer in customers],
                "incomplete": incomplete,
                "quarantine": [
                    {"endpoint": endpoint, "reason": reason, "records": records}
                    for endpoint, reason, records in quarantine
                ],
            }
        )
        return
    names = {id_: f"{name} ({id_})" for name, id_ in customer_ids().items()}
    print_table(
        "Last loads",
        ("ended (UTC)", "customer", "scopes", "incomplete", "records", "calls"),
        [
            (
                _moment(load.ended_at),
                names.get(load.customer_id, f"({load.customer_id})"),
                load.scopes,
                load.incomplete,
                load.records,
                load.calls,
            )
            for load in loads
        ],
    )
    click.echo()
    print_table(
        "Customers",
        ("customer", "tests", "not wholly read", "oldest read (UTC)"),
        [
            (
                names.get(customer.customer_id, f"({customer.customer_id})"),
                customer.tests,
                customer.unread_tests,
                _moment(customer.oldest_read_at),
            )
            for customer in customers
        ],
    )
    click.echo()
    print_lines(incomplete or ["nothing"], "incomplete")
    print_lines(
        [f"{endpoint}: {reason}: {records:,}" for endpoint, reason, records in quarantine]
        or ["nothing"],
        "quarantined",
    )


def _moment(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}" if moment else "never"
