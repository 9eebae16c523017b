"""A warehouse of Iceberg tables, which Spark and other engines find in a shared catalog.

In Iceberg no transaction spans two tables, and the loader closes no versions. It appends only new
and changed rows. A load has completed when its row is in the table of loads; that row comes last.
"""

import contextlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from string import Formatter
from typing import Any, ClassVar

import dlt
import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from dlt.common.destination import Destination
from dlt.common.typing import TLoaderFileFormat
from dlt.extract import DltSource

from testio_loader.api.endpoints import TABLES
from testio_loader.api.redaction import redact_url
from testio_loader.errors import WarehouseError
from testio_loader.tables import LEDGER, TEST_HASH, Table
from testio_loader.warehouses import file_lock
from testio_loader.warehouses.base import CopyTarget
from testio_loader.warehouses.raw import RAW_DATASET

try:
    from pyiceberg.catalog import Catalog, load_catalog
    from pyiceberg.exceptions import NoSuchTableError
    from pyiceberg.expressions import In
    from sqlalchemy.exc import OperationalError, SQLAlchemyError
except ModuleNotFoundError as error:
    raise WarehouseError(
        "Iceberg needs more packages: pip install 'testio-warehouse[iceberg]'"
    ) from error

CATALOG = "testio"
"""The catalog's name. It separates the tables of several catalogs in one database."""
_LOADS = "_dlt_loads"
_PAYLOAD = "payload"
_CONFIGURED = "iceberg_catalog.iceberg_catalog_config"
_VERSIONED = frozenset(table.name for table in TABLES if table.is_versioned)
_UNNAMEABLE = re.compile(r"[^\w.-]+")


def configured() -> "IcebergTables":
    """Return the tables in the catalog and the bucket that dlt's configuration names.

    Raises:
        WarehouseError: if it does not name both.
    """
    catalog = dlt.secrets.get(_CONFIGURED, dict)
    bucket = dlt.config.get("destination.filesystem.bucket_url", str)
    if not bucket:
        raise WarehouseError(
            "no bucket for Iceberg tables is configured: set DESTINATION__FILESYSTEM__BUCKET_URL"
        )
    if not catalog or not {"type", "uri", "warehouse"} <= set(catalog):
        raise WarehouseError(
            f"no Iceberg catalog is configured: set {_CONFIGURED.upper().replace('.', '__')} to "
            'JSON like {"type": "sql", "uri": "postgresql+psycopg2://…", "warehouse": "…"}'
        )
    return IcebergTables(bucket.rstrip("/"), catalog)


@dataclass(frozen=True)
class IcebergTables(CopyTarget):
    """Tables in a bucket or a folder, and the catalog that knows their newest state."""

    bucket: str
    properties: dict[str, Any] = field(repr=False)
    """Properties of the catalog, as PyIceberg expects them."""

    file_format: ClassVar[TLoaderFileFormat] = "parquet"

    @property
    def name(self) -> str:
        """The URL of the bucket."""
        return redact_url(self.bucket)

    @property
    def working_directory(self) -> Path:
        """A folder in the current directory."""
        return Path.cwd() / ".testio" / _UNNAMEABLE.sub("-", f"iceberg-{self.name}")

    def destination(self, *, read_only: bool = False) -> Destination[Any, Any]:
        """Return the destination for dlt."""
        os.environ["ICEBERG_CATALOG__ICEBERG_CATALOG_NAME"] = CATALOG
        return dlt.destinations.filesystem(bucket_url=self.bucket)

    def adapt(self, source: DltSource) -> None:
        """Make dlt append only new and changed rows; staging finds the newest versions."""
        for name, resource in source.selected_resources.items():
            resource.apply_hints(write_disposition="append", merge_key=[], table_format="iceberg")
            if name in _VERSIONED:
                resource.add_map(partial(self._changed, self._newest(name)))

    def exists(self) -> bool:
        """Return whether any raw table exists."""
        with _explained(self.name):
            return self._catalog.namespace_exists(RAW_DATASET) and bool(
                self._catalog.list_tables(RAW_DATASET)
            )

    def prepare(self) -> None:
        """Check that the catalog answers; create the tables' namespace and dlt's folder."""
        with _explained(self.name):
            self._catalog.create_namespace_if_not_exists(RAW_DATASET)
        client: Any = dlt.dataset(self.destination(), RAW_DATASET).destination_client
        if client.fs_client.exists(client.dataset_path) and not client.is_storage_initialized():
            client.fs_client.rmdir(client.dataset_path)  # after a kill, dlt refuses this folder
        client.initialize_storage()

    @contextlib.contextmanager
    def opened(self, *, read_only: bool = False) -> Iterator[None]:
        """Check that the catalog answers; others can use it at the same time."""
        with _explained(self.name):
            self._catalog.list_namespaces()
            yield

    def locked(self) -> AbstractContextManager[None]:
        """Hold a lock of this machine for one load at a time; never load from another machine."""
        return file_lock.held(self.working_directory / "lock", self.name)

    def holder(self) -> str:
        """Return the process that is loading now, or an empty text."""
        return file_lock.holder(self.working_directory / "lock")

    def findings(self) -> Iterator[tuple[bool, str]]:
        """Yield whether the catalog answers."""
        with _explained(self.name):
            self._catalog.list_namespaces()
        yield True, f"warehouse: {self.name}, whose catalog answers"

    def may_pass(self, error: BaseException) -> bool:
        """Return whether the cause may be temporary, such as a full disk or a lost connection."""
        return isinstance(error, OSError | OperationalError)

    def erase(self, customer_id: int) -> int:
        """Refuse, and say what to run in Spark: only an engine can clean old snapshots."""
        raise WarehouseError(
            f"{self.name}: Iceberg keeps deleted rows in older snapshots; in Spark, delete from "
            f"each table of testio_raw where customer_id = {customer_id}, then call the procedures "
            "expire_snapshots and remove_orphan_files, and run dbt build"
        )

    def complete(self, load_id: str) -> None:
        """Add the load to the table of loads, which makes its other rows visible."""
        row = {
            "load_id": load_id,
            "schema_name": "testio",
            "status": 0,
            "inserted_at": datetime.now(UTC),
            "schema_version_hash": None,
        }
        self._table(_LOADS, _LOADS_SCHEMA).append(pa.Table.from_pylist([row], _LOADS_SCHEMA))

    def drop(self, pipeline: dlt.Pipeline) -> None:
        """Remove the raw tables with their files, and dlt's own tables beside them."""
        catalog = self._catalog
        for identifier in catalog.list_tables(RAW_DATASET):
            catalog.purge_table(identifier)
        super().drop(pipeline)

    def fill(self, tables: Iterable[tuple[str, pa.RecordBatchReader]]) -> dict[str, int]:
        """Append one table after another; the loads come last, and make the rows visible."""
        self.prepare()
        rows = {}
        for name, batches in tables:
            schema = pa.schema(f for f in batches.schema if not f.name.startswith("_dlt_valid"))
            table = self._table(name, schema)
            rows[name] = 0
            for batch in batches:
                table.append(pa.Table.from_batches([batch]).select(schema.names))
                rows[name] += batch.num_rows
        return rows

    def select(
        self, sql: str, *parameters: Any, read_only: bool = False
    ) -> Sequence[Sequence[Any]]:
        """Run a query with `{table}` for a raw table; return no rows before the first load."""
        named = {name for _, name, _, _ in Formatter().parse(sql) if name}
        with _explained(self.name), duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'")
            for name in named:
                connection.register(name, self._rows(name))
            query = sql.format_map({name: f'"{name}"' for name in named}).replace("%s", "?")
            return connection.execute(query, parameters).fetchall()

    def take_back(self, tables: Sequence[Table]) -> set[str]:
        """Delete the rows of loads that never completed; return the ids of all that did."""
        completed = set(self._rows(_LOADS)["load_id"].to_pylist())
        for table in tables:
            with contextlib.suppress(NoSuchTableError):
                landed = self._catalog.load_table((RAW_DATASET, table.name))
                ids = landed.scan(selected_fields=("_dlt_load_id",)).to_arrow()["_dlt_load_id"]
                if broken := set(ids.unique().to_pylist()) - completed:
                    landed.delete(In("_dlt_load_id", broken))  # type: ignore[call-arg,arg-type,misc]
        return completed

    def upgrade(self, tables: Sequence[Table]) -> None:
        """Do nothing: rows are never merged, and a missing column reads as null."""

    @cached_property
    def _catalog(self) -> Catalog:
        return load_catalog(CATALOG, **self.properties)

    def _table(self, name: str, schema: pa.Schema) -> Any:
        """Return a table; create it if it does not exist."""
        location = f"{self.bucket}/{RAW_DATASET}/{name}"
        return self._catalog.create_table_if_not_exists(
            (RAW_DATASET, name), schema, location=location
        )

    def _newest(self, name: str) -> pa.ChunkedArray:
        """Return the content hash of each record's newest version."""
        rows = self._rows(name)
        if not rows.num_rows:
            return pa.chunked_array([], pa.string())
        with duckdb.connect() as connection:
            newest = connection.from_arrow(rows).aggregate(
                "arg_max(content_hash, (loaded_at, content_hash)) as content_hash",
                "customer_id, id",
            )
            return newest.to_arrow_table()["content_hash"]

    @staticmethod
    def _changed(newest: pa.ChunkedArray, rows: pa.Table) -> pa.Table:
        return rows.filter(pc.invert(pc.is_in(rows["content_hash"], newest)))

    def _rows(self, name: str) -> pa.Table:
        """Return the rows of a table, without their payloads."""
        try:
            table = self._catalog.load_table((RAW_DATASET, name))
        except NoSuchTableError:
            return _EMPTY[name]
        names = [column.name for column in table.schema().fields if column.name != _PAYLOAD]
        rows = table.scan(selected_fields=tuple(names)).to_arrow()
        if name == LEDGER.name and TEST_HASH not in names:  # from an earlier version
            rows = rows.append_column(TEST_HASH, pa.nulls(rows.num_rows, pa.string()))
        return rows


_LOADS_SCHEMA = pa.schema(
    [
        pa.field("load_id", pa.string()),
        pa.field("schema_name", pa.string()),
        pa.field("status", pa.int64()),
        pa.field("inserted_at", pa.timestamp("us", tz="UTC")),
        pa.field("schema_version_hash", pa.string()),
    ]
)
"""The same columns as dlt's table of loads in databases."""
_EMPTY = {table.name: table.to_arrow([], "") for table in TABLES} | {
    _LOADS: _LOADS_SCHEMA.empty_table()
}
"""The content of a table that does not exist yet."""


@contextlib.contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        raise WarehouseError(f"{name}: the catalog does not answer: {cause}") from error
