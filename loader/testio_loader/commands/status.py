"""`testio-loader status`: show the loads of a warehouse and the age of its data."""

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
    """Show the last loads and the age of the data.

    Also shows incomplete scopes, quarantined records and, per customer, the number of tests and the
    last read of the test that has waited longest.

    Example: testio-loader status --json
    """
    from testio_loader.commands.report import print_json, print_lines, print_table
    from testio_loader.customers import customer_ids
    from testio_loader.land.ledger import ledger_of

    warehouse = configured_warehouse(destination)
    if holder := warehouse.holder():
        raise CommandError(
            f"{warehouse.name} is being loaded by {holder}; try again after that load"
        )
    ledger = ledger_of(warehouse)
    if ledger is None:
        raise CommandError(f"no raw data in {warehouse.name}; run `testio-loader load` first")
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
        ("customer", "tests", "not fully read", "oldest read (UTC)"),
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
