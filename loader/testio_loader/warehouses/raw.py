"""Queries over the raw tables of any destination that dlt has a SQL client for."""

from collections.abc import Sequence
from typing import Any

import dlt
from dlt.common.destination import Destination
from dlt.destinations.sql_client import SqlClientBase

from testio_loader.tables import LEDGER

RAW_DATASET = "testio_raw"


def raw_client(
    destination: Destination[Any, Any], dataset: str = RAW_DATASET
) -> SqlClientBase[Any]:
    """Return what runs SQL in the raw dataset of a destination."""
    # With a schema named here, dlt does not look for that of the last load first.
    return dlt.dataset(destination, dataset, dlt.Schema(RAW_DATASET)).sql_client


def raw_tables(client: SqlClientBase[Any]) -> dict[str, str]:
    """Return the raw tables that there are, with their names in SQL."""
    sql = "select table_name from information_schema.tables where table_schema = %s"
    rows = client.execute_sql(sql, client.dataset_name) or []
    return {name: client.make_qualified_table_name(name) for (name,) in rows}


def select(client: SqlClientBase[Any], sql: str, *parameters: Any) -> Sequence[Sequence[Any]]:
    """Run a query in which `{table}` stands for a raw table; no rows before the first load."""
    with client:
        names = raw_tables(client)
        if LEDGER.name not in names:
            return []
        return client.execute_sql(sql.format_map(names), *parameters) or []
