"""The command line: what people type, and what they read.

Exit status: 0 all was read and landed; 1 failed; 2 wrong usage; 3 landed, but some scope is
incomplete.
"""

import contextlib
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from loader.sandbox.faults import FAULTS

if TYPE_CHECKING:
    from loader.pipeline import LoadReport

INCOMPLETE = 3
_SANDBOX_CUSTOMER = 1


class Failure(click.ClickException):
    """An end that the person at the keyboard can do something about, told in one line."""

    def show(self, file: Any = None) -> None:
        """Print the line."""
        click.echo(f"testio-loader: {self.message}", file=file or sys.stderr)


class Misconfigured(Failure):
    """The configuration is of no use; counts as wrong usage."""

    exit_code = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-v", "--verbose", is_flag=True, help="Log every request.")
def main(verbose: bool) -> None:
    """Land your Test IO data in your own warehouse.

    The warehouse is the DuckDB file that TESTIO_DUCKDB_PATH names (default: warehouse.duckdb).
    The account is configured as dlt configures sources: SOURCES__TESTIO__API_TOKEN and
    SOURCES__TESTIO__CUSTOMER_ID, or the same under [sources.testio] in .dlt/secrets.toml.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("loader").setLevel(logging.INFO)
    os.environ.setdefault("RUNTIME__LOG_LEVEL", "INFO" if verbose else "WARNING")


def _explained(command: Callable[..., None]) -> Callable[..., None]:
    """Turn what can go wrong for reasons outside the program into one clear line."""

    @wraps(command)
    def run(**options: Any) -> None:
        from loader.customers import BadConfiguration
        from loader.pipeline import LoadFailed
        from loader.warehouse import BadWarehouse, WarehouseBusy

        try:
            command(**options)
        except BadConfiguration as error:
            raise Misconfigured(str(error)) from error
        except (LoadFailed, BadWarehouse, WarehouseBusy) as error:
            raise Failure(str(error)) from error

    return run


@main.command()
@click.option("--customer", "names", multiple=True, metavar="NAME", help="Read this customer only.")
@click.option(
    "--product",
    "product_ids",
    multiple=True,
    type=int,
    metavar="ID",
    help="Read this product only.",
)
@click.option(
    "--test",
    "test_ids",
    multiple=True,
    type=int,
    metavar="ID",
    help="Refresh this test and its bugs only.",
)
@_explained
def load(names: tuple[str, ...], product_ids: tuple[int, ...], test_ids: tuple[int, ...]) -> None:
    """Read the account and land what is new or changed.

    Every option can be repeated.
    """
    from loader import pipeline, warehouse
    from loader.customers import configured_customers

    if product_ids and test_ids:
        raise click.UsageError("give --product or --test, not both")
    customers = configured_customers(names)
    path = warehouse.warehouse_path()
    failures = []
    is_complete = True
    with warehouse.locked(path):
        for customer in customers:
            try:
                report = pipeline.load(path, customer, pipeline.Selection(product_ids, test_ids))
            except pipeline.LoadFailed as failure:
                failures.append(str(failure))
                continue
            _print_report(report)
            is_complete &= not report.problems
    if failures:
        raise Failure("; ".join(failures))
    if not is_complete:
        click.echo("Incomplete: what is missing is named above; load again to read it.", err=True)
        sys.exit(INCOMPLETE)


@main.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@_explained
def drop(yes: bool) -> None:
    """Remove all raw data, and dlt's state with it, from the warehouse.

    What dbt has built is removed by `dbt run-operation drop_models`.
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


@main.command(context_settings={"ignore_unknown_options": True})
@click.option("--products", default=6, show_default=True, help="Products in the account.")
@click.option("--tests", default=60, show_default=True, help="Tests in the account.")
@click.option("--bugs", default=600, show_default=True, help="Bugs in the account.")
@click.option("--seed", default=1, show_default=True, help="Another seed, another account.")
@click.option("--latency", default=0.0, show_default=True, help="Seconds an answer takes.")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    type=click.Choice(list(FAULTS)),
    help="Misbehave in this way; several faults are put one around the other.",
)
@click.option("--port", default=0, help="Port to listen on (default: any that is free).")
@click.option("--unless-configured", is_flag=True, help="Only run COMMAND if a token is set.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def sandbox(
    products: int,
    tests: int,
    bugs: int,
    seed: int,
    latency: float,
    faults: tuple[str, ...],
    port: int,
    unless_configured: bool,
    command: tuple[str, ...],
) -> None:
    """Serve a stand-in of the API, with synthetic data, on this machine.

    With a COMMAND, serve for as long as it runs, with the loader configured for the sandbox in its
    environment, and end with its exit status. Without one, serve until interrupted.
    """
    if unless_configured:
        from loader.customers import is_configured

        if is_configured():
            sys.exit(subprocess.call(command))
    from loader.sandbox import Account, Handler, serve

    handler: Handler = Account(products=products, tests=tests, bugs=bugs, seed=seed)
    for fault in faults:
        handler = FAULTS[fault](handler)
    with serve(handler, port=port, latency=latency) as server:
        environment = {
            "SOURCES__TESTIO__API_TOKEN": "sandbox",
            "SOURCES__TESTIO__CUSTOMER_ID": str(_SANDBOX_CUSTOMER),
            "SOURCES__TESTIO__BASE_URL": server.url,
        }
        click.echo(f"Sandbox with synthetic data at {server.url}", err=True)
        if command:
            sys.exit(subprocess.call(command, env={**os.environ, **environment}))
        for name, value in environment.items():
            click.echo(f"export {name}={value}")
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


def _print_report(report: "LoadReport") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"Customer {report.customer}", title_justify="left")
    table.add_column("endpoint")
    for heading in ("scopes", "incomplete", "records", "quarantined", "new or changed"):
        table.add_column(heading, justify="right")
    for row in report.endpoints:
        counts = (row.scopes, row.incomplete, row.records, row.quarantined, row.versions)
        table.add_row(row.endpoint, *(f"{count:,}" for count in counts))
    console = Console()
    console.print(table)
    for problem in report.problems:
        console.print(f"incomplete: {problem}", markup=False)
