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
    help="Configured name, or customer_id of a customer that is no longer configured.",
)
@destination_option
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@explained
@ends_when_told()
def erase(name: str, destination: str, yes: bool) -> None:
    """Remove a customer for good.

    Deletes all rows of the customer from the raw tables and from what dbt built. Rewrites the file,
    or each table of a database, so that no bytes of these rows are left. If tables in schemas other
    than testio_… have rows of the customer, it names them, keeps them and exits with 1. Copies,
    backups, published files and folders of `load --record` do not change.

    Example: testio-loader erase --customer acme
    """
    from testio_loader.customers import id_of
    from testio_loader.land import pipeline

    customer_id = id_of(name)
    warehouse = configured_warehouse(destination)
    if not warehouse.exists():
        raise CommandError(f"no raw data in {warehouse.name}")
    if not yes:
        click.confirm(
            f"Erase all rows of customer_id {customer_id} from {warehouse.name}?", abort=True
        )
    with warehouse.locked():
        # An interrupted load may still have rows to land, of this or another customer.
        with _nothing_deleted(customer_id):
            pipeline.settle(warehouse)
        rows = warehouse.erase(customer_id)
        elsewhere = warehouse.elsewhere(customer_id)
    click.echo(
        f"Erased {rows:,} rows of customer_id {customer_id}, and rewrote the file or tables."
    )
    if elsewhere:
        raise CommandError(
            f"rows of customer_id {customer_id} are still in {', '.join(elsewhere)}: if these "
            "tables were built from loaded data, drop or rebuild them, then erase again to remove "
            "the bytes of the rows"
        )


@contextlib.contextmanager
def _nothing_deleted(customer_id: int) -> Iterator[None]:
    """Report that nothing was deleted if the block fails, for instance because the disk is full."""
    import duckdb
    from dlt.common.exceptions import DltException

    try:
        yield
    except (DltException, duckdb.Error, OSError) as error:
        reason = one_line(error)
        raise CommandError(f"nothing of customer_id {customer_id} was deleted: {reason}") from error
