"""`testio-loader erase`: remove a customer for good."""

import click

from loader.commands.failure import Failure, explained


@click.command()
@click.option(
    "--customer",
    "name",
    required=True,
    metavar="NAME",
    help="Whom to erase: a configured customer, or the customer_id of one that no longer is.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@explained
def erase(name: str, yes: bool) -> None:
    """Remove a customer for good.

    All their rows go, in raw and in what dbt built, and the file is rewritten, so that nothing of
    them is left in its bytes. Copies of it, what was published, and folders written by
    `load --record` stay as they are.
    """
    from loader import erasure, warehouse
    from loader.customers import id_of

    customer_id = id_of(name)
    path = warehouse.warehouse_path()
    if not path.exists():
        raise Failure(f"there is no {path}")
    if not yes:
        click.confirm(f"Erase customer_id {customer_id} from {path}, every version?", abort=True)
    with warehouse.locked(path):
        rows = erasure.erase(path, customer_id)
    click.echo(f"Erased {rows:,} rows of customer_id {customer_id}, and rewrote {path.name}.")
