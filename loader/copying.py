"""Copies what has landed in a DuckDB file into another warehouse: every version, and the ledger.

Loads go on there as if they had always gone there, and dbt builds the same from it.
"""

import duckdb

from loader.endpoints import TABLES
from loader.pipeline import settle
from loader.warehouses import RAW_DATASET, BadWarehouse, Fillable
from loader.warehouses.duckdb_file import DuckDbFile
from loader.warehouses.duckdb_sql import quoted

_ROWS = 10_000
"""In memory at once; a payload has some kilobytes."""


def copy(source: DuckDbFile, target: Fillable) -> dict[str, int]:
    """Copy the raw tables, and return how many rows each has.

    Raises:
        BadWarehouse: if anything has landed in the target.
        WarehouseBusy: if another process has one of the two.
    """
    settle(source)  # what is still to land would be left behind
    target.prepare()
    if target.exists():
        raise BadWarehouse(
            f"{target.name} has raw data already, so nothing is copied; `testio-loader drop` "
            "would remove them"
        )
    with source.opened(read_only=True), duckdb.connect(str(source.path), read_only=True) as opened:
        opened.execute("set TimeZone = 'UTC'")
        names = [*(table.name for table in TABLES), "_dlt_loads"]
        return target.fill(
            (name, opened.sql(f"from {quoted(RAW_DATASET, name)}").to_arrow_reader(_ROWS))
            for name in names
        )
