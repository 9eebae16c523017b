"""Erases a customer from the tables, and from the bytes of the DuckDB file.

DuckDB leaves deleted rows in free blocks of the file. So all other rows are copied to a new file,
which replaces the old one. If a crash interrupts this, the file is still valid: with the customer's
rows, without them, or rewritten. Erasing again completes it.
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

_SCHEMA_PREFIX = "testio_"
"""Prefix of the schemas that the loader and dbt create."""


def erase(path: Path, customer_id: int) -> int:
    """Erase a customer from the warehouse file and the files beside it; return the number of rows.

    Raises:
        WarehouseError: if the file cannot be rewritten.
    """
    file = path.resolve()
    fresh = file.with_name(f".{file.name}.rewritten")
    # Removing it also removes what killed processes have spilled.
    spilled = file.with_name(f"{file.name}.tmp")
    try:
        remove(fresh, spilled)
        # Each thread holds more than 100,000 rows in memory; one thread is about as fast.
        config: dict[str, Any] = {"temp_directory": str(spilled), "threads": 1}
        with owner_only(), duckdb.connect(config=config) as connection:
            attach(connection, file, "old")
            rows = _delete(connection, customer_id)
            attach(connection, fresh, "fresh")
            connection.execute("copy from database old to fresh")
            _compare(connection)
            for database in ("fresh", "old"):  # so that no write-ahead log remains
                connection.execute(f"detach {database}")
        _copy_access(file, fresh)
        fresh.replace(file)
    except (duckdb.Error, OSError, WarehouseError) as error:
        raise WarehouseError(_unfinished(file, customer_id, error)) from error
    finally:
        remove(fresh, spilled)
    return rows


def elsewhere(path: Path, customer_id: int) -> list[str]:
    """Return the tables with rows of a customer outside the schemas of loader and dbt."""
    with duckdb.connect(str(path), read_only=True) as connection:
        return [
            f"{schema}.{table}"
            for schema, table, kind in _tables(connection)
            if not schema.startswith(_SCHEMA_PREFIX)
            and kind == "BIGINT"
            and _has_rows(connection, schema, table, customer_id)
        ]


def _copy_access(file: Path, fresh: Path) -> None:
    """Give the rewritten file the owner and the mode of the old one."""
    access = file.stat()
    with contextlib.suppress(PermissionError):  # only root can change the owner
        os.chown(fresh, access.st_uid, access.st_gid)
    shutil.copymode(file, fresh)


def _unfinished(file: Path, customer_id: int, error: Exception) -> str:
    """Return a message: what was deleted, what was not, and what to do."""
    reason = str(error).splitlines()[0]
    if not _is_deleted(file, customer_id):
        return f"nothing of customer_id {customer_id} was deleted from {file.name}: {reason}"
    return (
        f"the rows of customer_id {customer_id} are deleted, but {file.name} still contains their "
        f"bytes because it was not rewritten: {reason}; make sure that the disk has room for a "
        f"copy of it, {file.stat().st_size / 1_000_000:,.0f} MB, then erase again"
    )


def _is_deleted(file: Path, customer_id: int) -> bool:
    """Return whether no rows are left: a commit that failed may still have taken effect."""
    try:
        with duckdb.connect(str(file), read_only=True) as connection:
            return not any(
                _has_rows(connection, schema, table, customer_id)
                for schema, table, _ in _tables(connection)
                if schema.startswith(_SCHEMA_PREFIX)
            )
    except duckdb.Error:
        return False


def _has_rows(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, customer_id: int
) -> bool:
    query = f"select 1 from {quoted(schema, table)} where customer_id = ? limit 1"
    return connection.execute(query, [customer_id]).fetchone() is not None


def _tables(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    """Return schema and name of each table with a `customer_id`, and the type of that column."""
    return connection.execute(
        "select schema_name, table_name, data_type from duckdb_columns() inner join duckdb_tables()"
        " using (database_name, schema_name, table_name)"
        " where column_name = 'customer_id' order by all"
    ).fetchall()


def _delete(connection: duckdb.DuckDBPyConnection, customer_id: int) -> int:
    rows = 0
    connection.begin()
    for schema, table, _ in _tables(connection):
        if not schema.startswith(_SCHEMA_PREFIX):
            continue
        where = f"{quoted('old', schema, table)} where customer_id = ?"
        (deleted,) = connection.execute(f"delete from {where}", [customer_id]).fetchone() or (0,)
        rows += deleted
    connection.commit()
    return rows


def _compare(connection: duckdb.DuckDBPyConnection) -> None:
    """Raise WarehouseError if the copy of a table has more or fewer rows."""
    tables = connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = 'old'"
    ).fetchall()
    for schema, table in tables:
        counts = [
            connection.execute(f"select count(*) from {quoted(database, schema, table)}").fetchone()
            for database in ("old", "fresh")
        ]
        if counts[0] != counts[1]:
            raise WarehouseError(f"not all rows of {schema}.{table} were copied")
