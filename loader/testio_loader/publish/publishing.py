"""Publishes what dbt has built and tested, so that loads and builds never wait for readers.

While somebody reads a DuckDB file, no other process can write to it. So `publish` writes a copy and
moves it into place in one step: open readers keep the old copy, and new readers get the new one.
A published file is read-only, and `publish` never replaces a file that is not.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from testio_loader.errors import PublishError
from testio_loader.private import owner_only
from testio_loader.publish import saved_queries
from testio_loader.warehouses import RAW_DATASET
from testio_loader.warehouses.duckdb_file import DuckDbFile
from testio_loader.warehouses.duckdb_sql import attach, literal, quoted, remove

_MEMORY = "500MB"
"""Enough for any table: 1,000,000 bugs with 700 MB of texts need 250 MB (DuckDB 2.0.0)."""
_WAREHOUSE = "warehouse"
_METRICS = "metrics"
_TO_EVERYONE = "to_everyone"
_WRITE_BITS = 0o222
_FILE_MODE, _FOLDER_MODE = 0o666, 0o777
"""Modes before the umask applies. Replacing a publication keeps the mode of its file or folder."""
_NOT_OURS = "{} was not made by `publish`, so it is not overwritten. Choose another path"


@dataclass(frozen=True)
class PublishedTable:
    """A published table, and how many rows it has."""

    schema: str
    table: str
    rows: int


@dataclass(frozen=True)
class Publication:
    """The published tables, and when dbt built them."""

    built_at: datetime
    tables: list[PublishedTable]


@dataclass(frozen=True)
class _Source:
    """A model or saved query that becomes a published table."""

    schema: str
    """The schema that readers see."""
    table: str
    rows: str
    """The SQL after `from`."""
    customer_column: str | None
    """The column with the customer's id; None if all customers share the rows."""
    relation: tuple[str, str] | None = None
    """Schema and name of the model in dbt; None for a saved query."""


class _OpenWarehouse:
    """The warehouse, open for reading, and its tables and queries to publish."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        customer_id: int | None,
        manifest: Path | None,
        umask: int,
    ) -> None:
        self.connection = connection
        self.umask = umask
        self._customer_id = customer_id
        self.built_at, self.sources = _passed_build(connection)
        if manifest:
            self.sources += _saved_queries(manifest)

    def query(self, source: _Source) -> str:
        """Return the query for the rows to publish."""
        query = f"from {source.rows}"
        if self._customer_id is None or source.customer_column is None:
            return query
        return f"{query} where {source.customer_column} = {self._customer_id:d}"

    def copy(self, source: _Source, statement: str) -> PublishedTable:
        """Run the statement that copies a source, and count the rows."""
        try:
            (rows,) = self.connection.execute(statement).fetchone() or (0,)
        except (duckdb.BinderException, duckdb.CatalogException) as error:
            raise PublishError(f"{source.schema}.{source.table}: {error}") from error
        return PublishedTable(source.schema, source.table, rows)

    def publication(self, tables: list[PublishedTable]) -> Publication:
        """Return the publication; raise PublishError if it has no rows of the customer."""
        shared = {source.table for source in self.sources if source.customer_column is None}
        rows = sum(table.rows for table in tables if table.table not in shared)
        if self._customer_id is not None and not rows:
            raise PublishError(
                f"the models have no rows of customer_id {self._customer_id}; check the id, or "
                "load this customer and run `dbt build`"
            )
        return Publication(self.built_at, tables)


def publish(
    path: Path, to: Path, *, customer_id: int | None = None, manifest: Path | None = None
) -> Publication:
    """Publish what dbt built in the warehouse at `path` as one DuckDB file at `to`.

    Args:
        customer_id: publish only the rows of this customer.
        manifest: dbt's semantic manifest; with it, the saved queries are published too.

    Raises:
        PublishError: if the last build has not passed, or `to` cannot be replaced.
        WarehouseBusyError: if another process is writing to the warehouse.
        WarehouseError: if the warehouse cannot be read.
    """
    file = to.resolve()
    if file.exists() and file.stat().st_mode & _WRITE_BITS:
        raise PublishError(_NOT_OURS.format(to))
    mode = file.stat().st_mode if file.exists() else None
    fresh = file.with_name(f".{file.name}.fresh")
    with _opened(path, fresh, customer_id, manifest) as opened:
        name = file.name.partition(".")[0].casefold()  # as DuckDB derives the database name
        if name in {source.schema for source in opened.sources} | {"information_schema"}:
            raise PublishError(
                f"{file.name}: DuckDB would confuse the file with a schema of the same name; "
                "choose another path"
            )
        attach(opened.connection, fresh, "published")
        publication = opened.publication([_copy_table(opened, s) for s in opened.sources])
        _copy_comments(opened)
        opened.connection.execute("detach published")  # so that no write-ahead log remains
        fresh.chmod((_FILE_MODE & ~opened.umask if mode is None else mode) & ~_WRITE_BITS)
        _write_through(fresh)
        # A reader that could write to the old file left a log, which does not fit the new file.
        file.with_name(f"{file.name}.wal").unlink(missing_ok=True)
        _move(fresh, file)
    return publication


def publish_parquet(
    path: Path, to: Path, *, customer_id: int | None = None, manifest: Path | None = None
) -> Publication:
    """Publish the same as Parquet files: `to` becomes a link to the folder of the newest copy.

    The previous folder is kept, for readers that are still opening its files.

    Raises:
        PublishError: if the last build has not passed, or `to` cannot be replaced.
        WarehouseBusyError: if another process is writing to the warehouse.
        WarehouseError: if the warehouse cannot be read.
    """
    link = to.parent.resolve() / to.name
    ours = re.compile(rf"\.{re.escape(link.name)}\.[0-9]{{20}}")
    is_ours = link.is_symlink() and ours.fullmatch(str(link.readlink()))
    if (link.exists() or link.is_symlink()) and not is_ours:
        raise PublishError(_NOT_OURS.format(to))
    fresh = link.with_name(f".{link.name}.fresh")
    with _opened(path, fresh, customer_id, manifest) as opened:
        fresh.mkdir()
        publication = opened.publication(
            [_copy_to_parquet(opened, s, fresh) for s in opened.sources]
        )
        for file in [*fresh.rglob("*"), fresh]:
            file.chmod((_FOLDER_MODE if file.is_dir() else _FILE_MODE) & ~opened.umask)
            _write_through(file)
        before = link.readlink().name if is_ours else ""
        if link.exists():
            shutil.copymode(link, fresh)
        folder = fresh.rename(link.with_name(f".{link.name}.{datetime.now(UTC):%Y%m%d%H%M%S%f}"))
        fresh.symlink_to(folder.name)
        _move(fresh, link)
        for other in link.parent.iterdir():
            if ours.fullmatch(other.name) and other.name not in (folder.name, before):
                shutil.rmtree(other)
    return publication


@contextmanager
def _opened(
    path: Path, fresh: Path, customer_id: int | None, manifest: Path | None
) -> Iterator[_OpenWarehouse]:
    """Open the warehouse; remove leftovers at `fresh` before and after."""
    spilled = fresh.with_name(f"{fresh.name}.tmp")
    config: dict[str, Any] = {
        "memory_limit": _MEMORY,
        "preserve_insertion_order": False,
        "temp_directory": str(spilled),
        "threads": 1,
    }
    DuckDbFile(path).check(read_only=True)
    fresh.parent.mkdir(parents=True, exist_ok=True)
    with _only_publication(fresh.parent), ExitStack() as cleaning:
        cleaning.callback(_remove, fresh, spilled)
        _remove(fresh, spilled)
        with owner_only() as umask, duckdb.connect(config=config) as connection:
            connection.execute("set enable_progress_bar = false")  # the bar would go to stdout
            attach(connection, path, "warehouse", read_only=True)
            yield _OpenWarehouse(connection, customer_id, manifest, umask)


@contextmanager
def _only_publication(folder: Path) -> Iterator[None]:
    """Lock the folder: users who may only read the warehouse cannot lock the warehouse itself."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise PublishError(
            f"another process is publishing to {folder}; publish again when it has ended"
        ) from error
    finally:
        os.close(descriptor)


def _passed_build(connection: duckdb.DuckDBPyConnection) -> tuple[datetime, list[_Source]]:
    """Return time and models of the last build, if it passed and no load has landed since."""
    try:
        rows = connection.execute(
            "select built_at, load_count, load_id, schema_name, table_name, published_schema,"
            " published"
            " from warehouse.testio_audit.passed_build order by published_schema, table_name"
        ).fetchall()
    # Earlier versions of the package wrote no `load_count`.
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise PublishError(
            "the warehouse has not passed a whole `dbt build`; run one, fix its failures, then "
            "publish again"
        ) from error
    loads = f"warehouse.{RAW_DATASET}._dlt_loads"
    # Loads are only added, or all dropped. So the same number and the same largest id mean the
    # same loads. The largest id is not enough: after a clock step back, new ids are smaller.
    landed = connection.execute(
        f"select count(*), max(load_id) from {loads} where status = 0"
    ).fetchone()
    if landed != rows[0][1:3]:
        raise PublishError(
            "a load has landed since the last `dbt build`; run `dbt build`, then publish again"
        )
    return rows[0][0], [
        _Source(
            published_schema,
            table,
            quoted(_WAREHOUSE, schema, table),
            None if published == _TO_EVERYONE else "customer_id",
            (schema, table),
        )
        for *_, schema, table, published_schema, published in rows
    ]


def _saved_queries(manifest: Path) -> list[_Source]:
    return [
        _Source(_METRICS, name, f"({sql}) as saved_query", saved_queries.CUSTOMER)
        for name, sql in saved_queries.statements(manifest, _WAREHOUSE).items()
    ]


def _copy_table(opened: _OpenWarehouse, source: _Source) -> PublishedTable:
    schema = quoted("published", source.schema)
    opened.connection.execute(f"create schema if not exists {schema}")
    # No primary keys: DuckDB 1.0 cannot open a file in which DuckDB 2.0 created one.
    table = f"{schema}.{quoted(source.table)}"
    return opened.copy(source, f"create table {table} as {opened.query(source)}")


def _copy_to_parquet(opened: _OpenWarehouse, source: _Source, folder: Path) -> PublishedTable:
    file = folder / source.schema / f"{source.table}.parquet"
    file.parent.mkdir(exist_ok=True)
    # DuckDB holds a whole row group in memory, and the default size is too large.
    options = "format parquet, row_group_size_bytes '16MB'"
    target = literal(str(file))
    return opened.copy(source, f"copy ({opened.query(source)}) to {target} ({options})")


def _copy_comments(opened: _OpenWarehouse) -> None:
    published = {source.relation: source.schema for source in opened.sources}
    comments = opened.connection.execute(
        "select schema_name, table_name, null, comment from duckdb_tables()"
        " where database_name = 'warehouse' and comment is not null"
        " union all"
        " select schema_name, table_name, column_name, comment from duckdb_columns()"
        " where database_name = 'warehouse' and comment is not null"
    ).fetchall()
    for schema, table, column, comment in comments:
        if (schema, table) in published:
            name = ("published", published[schema, table], table, column)
            kind = "table" if column is None else "column"
            opened.connection.execute(
                f"comment on {kind} {quoted(*filter(None, name))} is {literal(comment)}"
            )


def _write_through(path: Path) -> None:
    """Flush a file or folder to disk before the next step."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _move(fresh: Path, to: Path) -> None:
    fresh.replace(to)
    _write_through(to.parent)


def _remove(fresh: Path, spilled: Path) -> None:
    if fresh.is_dir() and not fresh.is_symlink():
        shutil.rmtree(fresh)
    remove(fresh, spilled)
