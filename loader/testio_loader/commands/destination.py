"""The option --destination, and the warehouse that it selects."""

import importlib
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from testio_loader.warehouses import Warehouse

_MODULES = {"duckdb": "duckdb_file", "postgres": "postgres", "iceberg": "iceberg"}
"""Modules of `testio_loader.warehouses`."""

destination_option = click.option(
    "--destination",
    type=click.Choice(list(_MODULES)),
    default="duckdb",
    envvar="TESTIO_DESTINATION",
    show_default=True,
    show_envvar=True,
    help="Kind of warehouse.",
)


def configured_warehouse(destination: str) -> "Warehouse":
    """Return the warehouse that is configured for a destination.

    Raises:
        WarehouseError: if its configuration is missing or cannot be used.
    """
    from testio_loader.warehouses.base import refuse_unfit_folder

    module = importlib.import_module(f"testio_loader.warehouses.{_MODULES[destination]}")
    warehouse: Warehouse = module.configured()
    refuse_unfit_folder(warehouse.working_directory)
    return warehouse
