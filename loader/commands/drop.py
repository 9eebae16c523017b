"""`testio-loader drop`: remove the raw data of all customers."""

import click

from loader.commands.failure import Failure, explained


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@explained
def drop(yes: bool) -> None:
    """Remove all raw data.

    That of all customers, every version of it, and dlt's state. What dbt has built is removed by
    `dbt run-operation drop_models`.
    """
    from loader import pipeline, warehouse

    path = warehouse.warehouse_path()
    if not path.exists():
        raise Failure(f"there is no {path}")
    if not yes:
        click.confirm(
            f"Remove {warehouse.RAW_DATASET} from {path}, every version of it?", abort=True
        )
    with warehouse.locked(path):
        pipeline.drop(path)
    click.echo(
        f"Removed {warehouse.RAW_DATASET}. To remove the models too: dbt run-operation drop_models"
    )
