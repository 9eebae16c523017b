"""Queries on the raw tables of any destination that dlt has a SQL client for."""

from collections.abc import Sequence
from typing import Any

import dlt
from dlt.common.destination import Destination
from dlt.destinations.sql_client import SqlClientBase

from testio_loader.tables import LEDGER, LOAD_ID, RECORD_KEY, TEST_HASH, Table

RAW_DATASET = "testio_raw"


def raw_client(
    destination: Destination[Any, Any], dataset: str = RAW_DATASET
) -> SqlClientBase[Any]:
    """Return a client that runs SQL in the raw dataset of a destination."""
    # With a schema given here, dlt does not first read the schema of the last load.
    return dlt.dataset(destination, dataset, dlt.Schema(RAW_DATASET)).sql_client


def raw_tables(client: SqlClientBase[Any]) -> dict[str, str]:
    """Return the existing raw tables, with their qualified names in SQL."""
    sql = "select table_name from information_schema.tables where table_schema = %s"
    rows = client.execute_sql(sql, client.dataset_name) or []
    return {name: client.make_qualified_table_name(name) for (name,) in rows}


def select(client: SqlClientBase[Any], sql: str, *parameters: Any) -> Sequence[Sequence[Any]]:
    """Run a query with `{table}` for a raw table; return no rows before the first load."""
    with client:
        names = raw_tables(client)
        if LEDGER.name not in names:
            return []
        return client.execute_sql(sql.format_map(names), *parameters) or []


def take_back(client: SqlClientBase[Any], tables: Sequence[Table]) -> set[str]:
    """Delete the rows of loads that never completed, and reopen the versions that they closed.

    Staging ignores these rows, but the next merge would treat them as current.

    Returns:
        The ids of all loads that completed.
    """
    names = raw_tables(client)
    if "_dlt_loads" not in names:
        return set()
    completed = f"select load_id from {names['_dlt_loads']} where status = 0"
    with client.begin_transaction():
        for table in tables:
            if table.name in names:
                _delete_except(completed, table, names[table.name], client)
    return {load_id for (load_id,) in client.execute_sql(completed) or []}


def upgrade(client: SqlClientBase[Any], tables: Sequence[Table]) -> None:
    """Add the columns that a load needs and that tables of earlier versions do not have.

    Without the record key, the next merge would not find the version that it must close.
    """
    names = raw_tables(client)
    for column in (RECORD_KEY, TEST_HASH):
        having = _tables_with(column, client)
        for table in tables:
            if column in table.columns and table.name in names and table.name not in having:
                qualified = names[table.name]
                client.execute_sql(f"alter table {qualified} add column {column} varchar")
    for table in tables:
        if not table.is_versioned or table.name not in names:
            continue
        qualified = names[table.name]
        key = " || '-' || ".join(f"cast({column} as varchar)" for column in table.key)
        client.execute_sql(
            f"update {qualified} set {RECORD_KEY} = {key} where {RECORD_KEY} is null"
        )


def _tables_with(column: str, client: SqlClientBase[Any]) -> set[str]:
    """Return the raw tables that have a column."""
    sql = (
        "select table_name from information_schema.columns"
        " where table_schema = %s and column_name = %s"
    )
    return {name for (name,) in client.execute_sql(sql, client.dataset_name, column) or []}


def _delete_except(
    completed: str, table: Table, qualified: str, client: SqlClientBase[Any]
) -> None:
    broken = f"{LOAD_ID} not in ({completed})"
    if table.is_versioned:
        client.execute_sql(
            f"update {qualified} set _dlt_valid_to = null where _dlt_valid_to in "
            f"(select _dlt_valid_from from {qualified} where {broken})"
        )
    client.execute_sql(f"delete from {qualified} where {broken}")
