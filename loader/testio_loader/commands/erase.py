"""`testio-loader erase`: remove a customer for good."""

import contextlib
from collections.abc import Iterator

import click

from testio_loader.commands.destination import configured_warehouse, destination_option
from testio_loader.commands.failure import CommandError, explained, one_line
from testio_loader.commands.termination import ends_when_told


@click.command()
@click.option(
    "--customer",
    "name",
    required=True,
    metavar="NAME",
    help="Whom to erase: a configured customer, or the customer_id of one that no longer is.",
)
@destination_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@explained
@ends_when_told()
def erase(name: str, destination: str, yes: bool) -> None:
    """Remove a customer for good.

    All their rows go, in raw and in what dbt built, and the file, or each table of a database, is
    rewritten, so that nothing of them is left in its bytes. Tables in schemas other than testio_…
    that have rows of them are named, and stay; the exit status is 1 then. Copies and backups, what
    was published, and folders written by `load --record` stay as they are.
    """
    from testio_loader.customers import id_of
    from testio_loader.land import pipeline

    customer_id = id_of(name)
    warehouse = configured_warehouse(destination)
    if not warehouse.exists():
        raise CommandError(f"there is nothing in {warehouse.name}")
    if not yes:
        click.confirm(
            f"Erase customer_id {customer_id} from {warehouse.name}, every version?", abort=True
        )
    with warehouse.locked():
        # What is still to land may be another customer's, or this one's.
        with _nothing_deleted(customer_id):
            pipeline.settle(warehouse)
        rows = warehouse.erase(customer_id)
        elsewhere = warehouse.elsewhere(customer_id)
    click.echo(f"Erased {rows:,} rows of customer_id {customer_id}, and rewrote what they were in.")
    if elsewhere:
        raise CommandError(
            f"rows of customer_id {customer_id} are still in {', '.join(elsewhere)}: if they were "
            "made from what loads have landed, drop or rebuild them, then erase again, as what "
            "they were in must be rewritten"
        )


@contextlib.contextmanager
def _nothing_deleted(customer_id: int) -> Iterator[None]:
    """Say so if it fails for a reason outside the program, such as a full disk."""
    import duckdb
    from dlt.common.exceptions import DltException

    try:
        yield
    except (DltException, duckdb.Error, OSError) as error:
        reason = one_line(error)
        raise CommandError(f"nothing of customer_id {customer_id} was deleted: {reason}") from error
