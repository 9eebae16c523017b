"""`testio-loader drop`: remove the raw data of all customers."""

import click

from testio_loader.commands.destination import configured_warehouse, destination_option
from testio_loader.commands.failure import CommandError, explained
from testio_loader.commands.termination import ends_when_told


@click.command()
@destination_option
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@explained
@ends_when_told()
def drop(destination: str, yes: bool) -> None:
    """Remove the raw data of all customers.

    Removes all versions of all records, and dlt's state. `dbt run-operation drop_models` lists
    the models, and says how to remove them.

    Example: testio-loader drop --destination postgres
    """
    from testio_loader.land import pipeline
    from testio_loader.warehouses import RAW_DATASET

    warehouse = configured_warehouse(destination)
    if not warehouse.exists():
        raise CommandError(f"no raw data in {warehouse.name}")
    if not yes:
        click.confirm(f"Remove {RAW_DATASET} with all versions from {warehouse.name}?", abort=True)
    with warehouse.locked():
        pipeline.drop(warehouse)
    click.echo(f"Removed {RAW_DATASET}. To remove the models: `dbt run-operation drop_models`")
