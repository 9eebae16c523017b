"""Removes a customer for good: from the tables, and from the bytes of the file.

DuckDB leaves what is deleted in free blocks of the file, so what remains is copied into a fresh one
that takes the old one's place. Whenever this is cut short, the file is whole: with the customer's
rows, without them, or rewritten; doing it again does the rest.
"""

import contextlib
import os
import shutil
from pathlib import Path
from typing import Any

import duckdb

from testio_loader.errors import WarehouseError
from testio_loader.private import owner_only
from testio_loader.warehouses.duckdb_sql import attach, quoted, remove

_OURS = "testio_"
"""How the schemas begin that hold what was loaded, and what dbt built of it."""


def erase(path: Path, customer_id: int) -> int:
    """Erase a customer from the warehouse file and from what is beside it; return how many rows.

    Raises:
        WarehouseBusyError: if another process has the file open.
        WarehouseError: if the file cannot be rewritten.
    """
    file = path.resolve()
    fresh = file.with_name(f".{file.name}.rewritten")
    # What others that were killed have spilled goes as well.
    spilled = file.with_name(f"{file.name}.tmp")
    try:
        remove(fresh, spilled)
        # Each thread has more than 100,000 rows in memory at once; one is about as fast.
        config: dict[str, Any] = {"temp_directory": str(spilled), "threads": 1}
        with owner_only(), duckdb.connect(config=config) as connection:
            attach(connection, file, "old")
            rows = _delete(connection, customer_id)
            attach(connection, fresh, "fresh")
            connection.execute("copy from database old to fresh")
            _compare(connection)
            for database in ("fresh", "old"):  # leaves no write-ahead log of either
                connection.execute(f"detach {database}")
        _copy_access(file, fresh)
        fresh.replace(file)
    except (duckdb.Error, OSError, WarehouseError) as error:
        raise WarehouseError(_unfinished(file, customer_id, error)) from error
    finally:
        remove(fresh, spilled)
    return rows


def elsewhere(path: Path, customer_id: int) -> list[str]:
    """Return the tables that have rows of a customer and are not in a schema of ours."""
    with duckdb.connect(str(path), read_only=True) as connection:
        return [
            f"{schema}.{table}"
            for schema, table, kind in _tables(connection)
            if not schema.startswith(_OURS)
            and kind == "BIGINT"
            and _has_rows(connection, schema, table, customer_id)
        ]


def _copy_access(file: Path, fresh: Path) -> None:
    """Let the same people read the rewritten file."""
    access = file.stat()
    with contextlib.suppress(PermissionError):  # only root can give a file to somebody else
        os.chown(fresh, access.st_uid, access.st_gid)
    shutil.copymode(file, fresh)


def _unfinished(file: Path, customer_id: int, error: Exception) -> str:
    """Return what is done, what is not, and what to do about it."""
    reason = str(error).splitlines()[0]
    if not _is_deleted(file, customer_id):
        return f"nothing of customer_id {customer_id} was deleted from {file.name}: {reason}"
    return (
        f"the rows of customer_id {customer_id} are deleted, but {file.name} still has to be "
        f"rewritten, as their bytes are in it: {reason}; see that there is room for a copy of it, "
        f"{file.stat().st_size / 1_000_000:,.0f} MB, then erase again"
    )


def _is_deleted(file: Path, customer_id: int) -> bool:
    """Return whether no rows are left; a commit that fails may have happened or not."""
    try:
        with duckdb.connect(str(file), read_only=True) as connection:
            return not any(
                _has_rows(connection, schema, table, customer_id)
                for schema, table, _ in _tables(connection)
                if schema.startswith(_OURS)
            )
    except duckdb.Error:
        return False


def _has_rows(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, customer_id: int
) -> bool:
    query = f"select 1 from {quoted(schema, table)} where customer_id = ? limit 1"
    return connection.execute(query, [customer_id]).fetchone() is not None


def _tables(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    """Return the tables that have a `customer_id`: schema, name, and the type of that column."""
    return connection.execute(
        "select schema_name, table_name, data_type from duckdb_columns() inner join duckdb_tables()"
        " using (database_name, schema_name, table_name)"
        " where column_name = 'customer_id' order by all"
    ).fetchall()


def _delete(connection: duckdb.DuckDBPyConnection, customer_id: int) -> int:
    rows = 0
    connection.begin()
    for schema, table, _ in _tables(connection):
        if not schema.startswith(_OURS):
            continue
        where = f"{quoted('old', schema, table)} where customer_id = ?"
        (deleted,) = connection.execute(f"delete from {where}", [customer_id]).fetchone() or (0,)
        rows += deleted
    connection.commit()
    return rows


def _compare(connection: duckdb.DuckDBPyConnection) -> None:
    """Raise WarehouseError if not every row was copied."""
    tables = connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = 'old'"
    ).fetchall()
    for schema, table in tables:
        counts = [
            connection.execute(f"select count(*) from {quoted(database, schema, table)}").fetchone()
            for database in ("old", "fresh")
        ]
        if counts[0] != counts[1]:
            raise WarehouseError(f"not all of {schema}.{table} was copied")
