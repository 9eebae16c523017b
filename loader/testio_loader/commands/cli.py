"""The command line and its exit statuses.

Exit status: 0 everything was read and landed; 1 failed; 2 wrong usage; 3 landed, but some scopes
are incomplete.
"""

import logging
import os

import click

from testio_loader.commands.check import check
from testio_loader.commands.copy import copy
from testio_loader.commands.drop import drop
from testio_loader.commands.erase import erase
from testio_loader.commands.load import load
from testio_loader.commands.process import configure_dlt
from testio_loader.commands.publish import publish
from testio_loader.commands.sandbox import sandbox
from testio_loader.commands.status import status


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="testio-warehouse", prog_name="testio-loader")
@click.option("-v", "--verbose", is_flag=True, help="Log every request, and tracebacks of errors.")
def main(verbose: bool) -> None:
    """Load your Test IO data into your own warehouse.

    The warehouse is the DuckDB file in TESTIO_DUCKDB_PATH (default: warehouse.duckdb). With
    --destination postgres, it is the database in DESTINATION__POSTGRES__CREDENTIALS. With
    --destination iceberg, it is the tables in DESTINATION__FILESYSTEM__BUCKET_URL.

    Configure the account with SOURCES__TESTIO__API_TOKEN and SOURCES__TESTIO__CUSTOMER_ID, or under
    [sources.testio] in .dlt/secrets.toml, as for any dlt source. Configure several customers under
    [sources.testio.customers.NAME].
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("testio_loader").setLevel(logging.DEBUG if verbose else logging.INFO)
    # dlt would log each failure with its traceback; commands report it in one line.
    configure_dlt()
    os.environ.setdefault("RUNTIME__LOG_LEVEL", "INFO" if verbose else "CRITICAL")


for command in (check, load, status, publish, copy, erase, drop, sandbox):
    main.add_command(command)
