"""A PostgreSQL database in which loader and dbt work, and who may load into it."""

import contextlib
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any, ClassVar

import dlt
import pyarrow as pa
import pyarrow.csv
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.configuration.resolve import resolve_configuration
from dlt.common.destination import Destination
from dlt.common.typing import TLoaderFileFormat
from dlt.destinations.impl.postgres.configuration import PostgresCredentials

from loader.warehouses.base import (
    RAW_DATASET,
    BadWarehouse,
    Fillable,
    WarehouseBusy,
    this_process,
)

try:
    import psycopg2
    from psycopg2 import sql
except ModuleNotFoundError as error:
    raise BadWarehouse(
        "PostgreSQL needs a driver: pip install 'testio-warehouse[postgres]'"
    ) from error

_OPTIONS = (
    "-c timezone=UTC"
    # dlt's merge looks each hash up among all that there are; with less the list of these is
    # searched from its start for every row, once it has some 100,000 (PostgreSQL 15).
    " -c work_mem=256MB"
)
_LOCK = (0x7E5710, 1)
"""Of pg_advisory_lock, which knows numbers only."""
_TYPES = {
    pa.string(): "varchar",
    pa.int64(): "bigint",
    pa.bool_(): "boolean",
    pa.timestamp("us", tz="UTC"): "timestamp with time zone",
}
"""As dlt has them."""
_UNNAMEABLE = re.compile(r"[^\w.-]+")


def configured() -> "PostgresDatabase":
    """Return the database that dlt's configuration names.

    Raises:
        BadWarehouse: if it names none.
    """
    try:
        credentials = resolve_configuration(
            PostgresCredentials(), sections=("destination", "postgres", "credentials")
        )
    except ConfigurationException as error:
        raise BadWarehouse(
            "no PostgreSQL database is configured: set DESTINATION__POSTGRES__CREDENTIALS to "
            "postgresql://user:password@host:5432/database, or its parts, "
            "DESTINATION__POSTGRES__CREDENTIALS__HOST and so on"
        ) from error
    return PostgresDatabase(credentials)


@dataclass(frozen=True)
class PostgresDatabase(Fillable):
    """A database, which loads, builds and readers share."""

    credentials: PostgresCredentials

    file_format: ClassVar[TLoaderFileFormat] = "csv"

    def __post_init__(self) -> None:
        query = self.credentials.query or {}
        self.credentials.query = {**query, "options": f"{_OPTIONS} {query.get('options', '')}"}

    @property
    def name(self) -> str:
        """Host, port and database."""
        return f"{self.credentials.host}:{self.credentials.port}/{self.credentials.database}"

    @property
    def working_directory(self) -> Path:
        """A folder where the command runs."""
        return Path.cwd() / ".testio" / _UNNAMEABLE.sub("-", f"postgres-{self.name}")

    def destination(self, *, read_only: bool = False) -> Destination[Any, Any]:
        """Return what dlt writes to, or reads from."""
        return dlt.destinations.postgres(credentials=self.credentials)

    def exists(self) -> bool:
        """Return whether a load has made the raw tables' schema."""
        with self._connected() as cursor:
            cursor.execute("select 1 from pg_namespace where nspname = %s", [RAW_DATASET])
            return cursor.fetchone() is not None

    def prepare(self) -> None:
        """See whether the database answers; dlt makes what it needs."""
        with self._connected():
            pass

    @contextlib.contextmanager
    def opened(self, *, read_only: bool = False) -> Iterator[None]:
        """See whether the database answers; others may use it as well."""
        self.prepare()
        yield

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only load, from any machine, by a lock of the database."""
        with self._connected() as cursor:
            cursor.execute("select pg_try_advisory_lock(%s, %s)", _LOCK)
            if cursor.fetchone() != (True,):
                raise WarehouseBusy(
                    f"{self.name} is being loaded by {self._owner(cursor)}; wait until it has ended"
                )
            yield

    def holder(self) -> str:
        """Return who is loading at the moment; nothing if nobody is."""
        with self._connected() as cursor:
            return self._owner(cursor)

    def findings(self) -> Iterator[tuple[bool, str]]:
        """Yield whether the loader may create what it needs."""
        with self._connected() as cursor:
            cursor.execute("select has_database_privilege(current_database(), 'create')")
            may_create = cursor.fetchone() == (True,)
            cursor.execute("select current_user")
            (user,) = cursor.fetchone() or ("",)
        can = "may" if may_create else "may not"
        yield may_create, f"warehouse: {self.name}, where {user} {can} create schemas"

    def may_pass(self, error: BaseException) -> bool:
        """Return whether it is for want of room or of a connection, or the like."""
        return isinstance(error, OSError | psycopg2.OperationalError | psycopg2.InterfaceError)

    def erase(self, customer_id: int) -> int:
        """Delete the customer's rows in one transaction, and then write each table anew."""
        with self._connected() as cursor:
            cursor.execute(
                "select table_schema, table_name from information_schema.columns"
                " inner join information_schema.tables using (table_schema, table_name)"
                " where column_name = 'customer_id' and table_type = 'BASE TABLE'"
                " and starts_with(table_schema, 'testio_')"
            )
            tables = [sql.Identifier(schema, table) for schema, table in cursor.fetchall()]
            rows = 0
            cursor.execute("begin")
            for table in tables:
                cursor.execute(
                    sql.SQL("delete from {} where customer_id = %s").format(table), [customer_id]
                )
                rows += cursor.rowcount
            cursor.execute("commit")
            for table in tables:
                cursor.execute(sql.SQL("vacuum full {}").format(table))
        return rows

    def elsewhere(self, customer_id: int) -> list[str]:
        """Look at all tables whose `customer_id` is a bigint, as far as they may be read."""
        with self._connected() as cursor:
            cursor.execute(
                "select nspname, relname from pg_class"
                " inner join pg_namespace on relnamespace = pg_namespace.oid"
                " inner join pg_attribute on attrelid = pg_class.oid"
                " where attname = 'customer_id' and atttypid = 'bigint'::regtype"
                " and not attisdropped and relkind in ('r', 'm')"
                " and not starts_with(nspname, 'testio_') and relpersistence <> 't'"
                " and has_schema_privilege(pg_namespace.oid, 'usage')"
                " and has_table_privilege(pg_class.oid, 'select') order by nspname, relname"
            )
            found = []
            for schema, table in cursor.fetchall():
                cursor.execute(
                    sql.SQL("select 1 from {} where customer_id = %s limit 1").format(
                        sql.Identifier(schema, table)
                    ),
                    [customer_id],
                )
                if cursor.fetchone():
                    found.append(f"{schema}.{table}")
        return found

    def fill(self, tables: Iterable[tuple[str, pa.RecordBatchReader]]) -> dict[str, int]:
        """Copy all of them in one transaction."""
        rows = {}
        with self._connected() as cursor:
            cursor.execute("begin")
            cursor.execute(sql.SQL("create schema {}").format(sql.Identifier(RAW_DATASET)))
            for name, batches in tables:
                rows[name] = _copy(name, batches, cursor)
            cursor.execute("commit")
        return rows

    def _owner(self, cursor: Any) -> str:
        cursor.execute(
            "select application_name, backend_start from pg_locks"
            " inner join pg_stat_activity using (pid) where locktype = 'advisory'"
            " and database = (select oid from pg_database where datname = current_database())"
            " and (classid, objid) = (%s, %s) and granted and pid <> pg_backend_pid()",
            _LOCK,
        )
        if not (row := cursor.fetchone()):
            return ""
        name, since = row
        if not since:  # of somebody else one may not see more
            return "another process"
        return f"{name} since {since.astimezone(UTC).isoformat(timespec='seconds')}"

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Any]:
        """Yield a cursor outside of any transaction."""
        try:
            connection = psycopg2.connect(
                self.credentials.to_native_representation(),
                application_name=this_process(),
                options=self.credentials.get_query()[
                    "options"
                ],  # in a URL, libpq takes a blank for a +
                keepalives_idle=60,
            )
        except psycopg2.OperationalError as error:
            raise BadWarehouse(f"{self.name} does not answer: {error}") from error
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                yield cursor
        except psycopg2.Error as error:
            raise BadWarehouse(f"{self.name}: {error}") from error
        finally:
            connection.close()


def _copy(name: str, batches: pa.RecordBatchReader, cursor: Any) -> int:
    table = sql.Identifier(RAW_DATASET, name)
    if odd := [field for field in batches.schema if field.type not in _TYPES]:
        raise BadWarehouse(f"{name}.{odd[0].name}: raw tables have no column of {odd[0].type}")
    columns = sql.SQL(", ").join(
        sql.SQL("{} " + _TYPES[field.type]).format(sql.Identifier(field.name))
        for field in batches.schema
    )
    cursor.execute(sql.SQL("create table {} ({})").format(table, columns))
    rows = 0
    # What is quoted is a text, an empty one as well; null is what is not there.
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="all_valid")
    statement = sql.SQL("copy {} from stdin with (format csv)").format(table)
    for batch in batches:
        text = io.BytesIO()
        pyarrow.csv.write_csv(batch, text, options)
        text.seek(0)
        cursor.copy_expert(statement, text)
        rows += cursor.rowcount
    return rows
