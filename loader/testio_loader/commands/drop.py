"""`testio-loader drop`: remove the raw data of all customers."""

import click

from testio_loader.commands.destination import configured_warehouse, destination_option
from testio_loader.commands.failure import CommandError, explained
from testio_loader.commands.termination import ends_when_told


@click.command()
@destination_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@explained
@ends_when_told()
def drop(destination: str, yes: bool) -> None:
    """Remove all raw data.

    That of all customers, every version of it, and dlt's state. What dbt has built is removed by
    `dbt run-operation drop_models`.
    """
    from testio_loader.land import pipeline
    from testio_loader.warehouses import RAW_DATASET

    warehouse = configured_warehouse(destination)
    if not warehouse.exists():
        raise CommandError(f"there is nothing in {warehouse.name}")
    if not yes:
        click.confirm(
            f"Remove {RAW_DATASET} from {warehouse.name}, every version of it?", abort=True
        )
    with warehouse.locked():
        pipeline.drop(warehouse)
    click.echo(f"Removed {RAW_DATASET}. To remove the models too: dbt run-operation drop_models")
