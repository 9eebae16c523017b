"""A built warehouse that MetricFlow can be asked about."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from commands import PROJECT, run_dbt
from conftest import SETTINGS
from dbt_metricflow.cli.cli_configuration import CLIConfiguration

from testio_loader.customers import Customer
from testio_loader.land import pipeline
from testio_loader.warehouses.duckdb_file import DuckDbFile
from testio_sandbox import TOKEN, Account, serve

NOWHERE = "http://127.0.0.1:9"
"""mf looks for a newer version of itself; here it must not leave the machine."""


@contextmanager
def built(folder: Path, *accounts: Account) -> Iterator[CLIConfiguration]:
    """Load the accounts, each as a customer of its own, and run the models."""
    # mf finds what dbt has written only in target/ of a project's folder.
    (folder / "dbt_project.yml").symlink_to(PROJECT / "dbt_project.yml")
    path = folder / "warehouse.duckdb"
    with pytest.MonkeyPatch.context() as environment:
        for name, value in SETTINGS.items():
            environment.setenv(name, value)
        environment.setenv("TESTIO_DUCKDB_PATH", str(path))
        environment.setenv("HTTPS_PROXY", NOWHERE)
        for customer_id, account in enumerate(accounts, 1):
            with serve(account) as sandbox:
                pipeline.load(
                    DuckDbFile(path), Customer(f"c{customer_id}", customer_id, TOKEN, sandbox.url)
                )
        environment.chdir(folder)
        run_dbt(path, "run")
        configuration = CLIConfiguration()
        configuration.setup(folder, folder, configure_file_logging=False)
        yield configuration
        configuration.sql_client.close()
