"""A built warehouse that MetricFlow can be asked about."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import SETTINGS
from dbt_metricflow.cli.cli_configuration import CLIConfiguration

from loader import pipeline
from loader.customers import Customer
from loader.sandbox import TOKEN, Account, serve

PROJECT = Path(__file__).parents[2]
DBT = Path(sys.executable).with_name("dbt")
NOWHERE = "http://127.0.0.1:9"
"""mf looks for a newer version of itself; here it must not leave the machine."""


@contextmanager
def built(folder: Path, *accounts: Account) -> Iterator[CLIConfiguration]:
    """Load the accounts, each as a customer of its own, and run the models."""
    # mf knows the artifacts of dbt only in target/ of a project's folder.
    for name in ("dbt_project.yml", "models", "macros"):
        (folder / name).symlink_to(PROJECT / name)
    shutil.copy(PROJECT / "profiles.yml.example", folder / "profiles.yml")
    path = folder / "warehouse.duckdb"
    with pytest.MonkeyPatch.context() as environment:
        for name, value in SETTINGS.items():
            environment.setenv(name, value)
        environment.setenv("TESTIO_DUCKDB_PATH", str(path))
        environment.setenv("HTTPS_PROXY", NOWHERE)
        for customer_id, account in enumerate(accounts, 1):
            with serve(account) as sandbox:
                pipeline.load(path, Customer(f"c{customer_id}", customer_id, TOKEN, sandbox.url))
        environment.chdir(folder)
        done = subprocess.run([DBT, "--quiet", "run"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        configuration = CLIConfiguration()
        configuration.setup(folder, folder, configure_file_logging=False)
        yield configuration
        configuration.sql_client.close()
