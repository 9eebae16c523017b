"""A warehouse in a PostgreSQL database, and the lock for one load at a time."""

import contextlib
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC
from functools import partial
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

from testio_loader.errors import ConfigurationError, WarehouseBusyError, WarehouseError
from testio_loader.warehouses.base import CopyTarget, LostLockError
from testio_loader.warehouses.raw import RAW_DATASET

try:
    import psycopg2
    import psycopg2.errors
    from psycopg2 import sql

    from testio_loader.warehouses.postgres_session import (
        Limits,
        PostgresDestination,
        connect,
        in_plain_words,
    )
except ModuleNotFoundError as error:
    raise WarehouseError(
        "PostgreSQL needs a driver: pip install 'testio-warehouse[postgres]'"
    ) from error

_LOCK, _WRITING = (0x7E5710, 1), (0x7E5710, 2)
"""Keys of pg_advisory_lock, which accepts only numbers. A load holds the first on a separate
connection. Each connection over which the load writes shares the second."""
_HELD = (
    "locktype = 'advisory' and granted"
    " and database = (select oid from pg_database where datname = current_database())"
)
_POOLER = (
    "{} is behind a pooler that changes the server session after each transaction, so a load would "
    "lose its lock: connect to the server itself, or make the pooler keep one session per "
    "connection (pgbouncer: pool_mode = session)"
)
_TYPES = {
    pa.string(): "varchar",
    pa.int64(): "bigint",
    pa.bool_(): "boolean",
    pa.timestamp("us", tz="UTC"): "timestamp with time zone",
}
"""The column types that dlt uses."""
_UNNAMEABLE = re.compile(r"[^\w.-]+")


def configured() -> "PostgresDatabase":
    """Return the database that dlt's configuration names.

    Raises:
        ConfigurationError: if a timeout is not a whole number.
        WarehouseError: if it names none.
    """
    try:
        credentials = resolve_configuration(
            PostgresCredentials(), sections=("destination", "postgres", "credentials")
        )
    except ConfigurationException as error:
        raise WarehouseError(
            "no PostgreSQL database is configured: set DESTINATION__POSTGRES__CREDENTIALS to "
            "postgresql://user:password@host:5432/database, or its parts, "
            "DESTINATION__POSTGRES__CREDENTIALS__HOST and so on"
        ) from error
    seconds = {name: _seconds(name, default) for name, default in asdict(Limits()).items()}
    return PostgresDatabase(credentials, Limits(**seconds))


def _seconds(name: str, default: int) -> int:
    configured: Any = dlt.config.get(f"sources.testio.{name}")
    if configured is None:
        return default
    if not re.fullmatch(r"[0-9]{1,6}", str(configured)):
        raise ConfigurationError(
            f"{name} is {configured!r}: set SOURCES__TESTIO__{name.upper()} to a whole number of "
            "seconds, or to 0 for no limit"
        )
    return int(configured)


@dataclass(frozen=True)
class PostgresDatabase(CopyTarget):
    """A database that loads, builds and readers share."""

    credentials: PostgresCredentials

    limits: Limits = field(default_factory=Limits)
    _lock: list[Any] = field(default_factory=list, init=False, repr=False, compare=False)
    """During a load: one cursor, of the connection that holds the lock."""

    file_format: ClassVar[TLoaderFileFormat] = "csv"

    @property
    def name(self) -> str:
        """Host, port and database."""
        return f"{self.credentials.host}:{self.credentials.port}/{self.credentials.database}"

    @property
    def working_directory(self) -> Path:
        """A folder in the current directory."""
        return Path.cwd() / ".testio" / _UNNAMEABLE.sub("-", f"postgres-{self.name}")

    def destination(self, *, read_only: bool = False) -> Destination[Any, Any]:
        """Return the destination for dlt; one that only reads needs no lock."""
        opened = partial(connect, self.credentials, self.limits) if read_only else self._open
        return PostgresDestination(self.credentials, opened, self.limits)

    def select(
        self, sql: str, *parameters: Any, read_only: bool = False
    ) -> Sequence[Sequence[Any]]:
        """Run a query as other warehouses do; reading needs no lock."""
        return super().select(sql, *parameters, read_only=True)

    def exists(self) -> bool:
        """Return whether a load has created the schema of the raw tables."""
        with self._connected() as cursor:
            cursor.execute("select 1 from pg_namespace where nspname = %s", [RAW_DATASET])
            return cursor.fetchone() is not None

    def prepare(self) -> None:
        """Check that the database answers; dlt creates the tables."""
        with self._connected():
            pass

    @contextlib.contextmanager
    def opened(self, *, read_only: bool = False) -> Iterator[None]:
        """Check that the database answers; others can use it at the same time."""
        self.prepare()
        yield

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold a lock of the database for one load at a time, from any machine.

        The lock is released when its connection ends. A network failure, a fail-over or an
        administrator can end it while the load continues. So each connection over which the load
        writes shares a second lock, then checks that the load still holds the first. A new load
        takes the first lock, then waits until no connection shares the second. So after the
        new load begins, a load that has lost its lock writes nothing more.
        """
        with self._connected() as cursor:
            self._refuse_shared_sessions(cursor)
            cursor.execute("select pg_try_advisory_lock(%s, %s)", _LOCK)
            if cursor.fetchone() != (True,):
                raise self._busy(cursor)
            try:
                cursor.execute("select pg_advisory_lock(%s, %s)", _WRITING)
            except psycopg2.errors.LockNotAvailable as error:
                raise self._busy(cursor) from error
            cursor.execute("select pg_advisory_unlock(%s, %s)", _WRITING)
            self._lock.append(cursor)
            try:
                yield
            finally:
                self._lock.clear()

    def holder(self) -> str:
        """Return the process that is loading now, or an empty text."""
        with self._connected() as cursor:
            return self._owner(cursor)

    def findings(self) -> Iterator[tuple[bool, str]]:
        """Yield whether the user may create schemas; check that a pooler would keep the lock."""
        with self._connected() as cursor:
            self._refuse_shared_sessions(cursor)
            cursor.execute("select has_database_privilege(current_database(), 'create')")
            may_create = cursor.fetchone() == (True,)
            cursor.execute("select current_user")
            (user,) = cursor.fetchone() or ("",)
        can = "may" if may_create else "may not"
        yield may_create, f"warehouse: {self.name}, where {user} {can} create schemas"

    def may_pass(self, error: BaseException) -> bool:
        """Return whether the cause may be temporary, such as a full disk or a lost connection."""
        return isinstance(error, OSError | psycopg2.OperationalError | psycopg2.InterfaceError)

    def erase(self, customer_id: int) -> int:
        """Delete the customer's rows in one transaction, then rewrite each table."""
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
        """Search all tables with a bigint `customer_id` that this user may read."""
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
        """Copy all tables in one transaction."""
        rows = {}
        with self._connected() as cursor:
            cursor.execute("begin")
            cursor.execute(sql.SQL("create schema {}").format(sql.Identifier(RAW_DATASET)))
            for name, batches in tables:
                rows[name] = _copy(name, batches, cursor)
            cursor.execute("commit")
        return rows

    def _busy(self, cursor: Any) -> WarehouseBusyError:
        owner = self._owner(cursor) or "another process"
        return WarehouseBusyError(
            f"{self.name} is being loaded by {owner}; wait until it has ended"
        )

    def _owner(self, cursor: Any) -> str:
        cursor.execute(
            "select application_name, backend_start from pg_locks"
            f" inner join pg_stat_activity using (pid) where {_HELD}"
            " and (classid, objid) in (%s, %s) and pid <> pg_backend_pid()"
            " order by objid, backend_start limit 1",
            [_LOCK, _WRITING],
        )
        if not (row := cursor.fetchone()):
            return ""
        name, since = row
        if not since:  # the server hides the sessions of other users
            return "another process"
        return f"{name} since {since.astimezone(UTC).isoformat(timespec='seconds')}"

    def _refuse_shared_sessions(self, cursor: Any) -> None:
        """Raise WarehouseError if a pooler does not keep one server session per connection."""
        ours = _server_process(cursor)
        with self._connected() as other:
            other.execute("begin")  # so that the pooler cannot give this session away
            is_shared = _server_process(other) == ours or _server_process(cursor) != ours
        if is_shared:
            raise WarehouseError(_POOLER.format(self.name))

    def _open(self) -> Any:
        """Return a connection; during a load, it keeps other loads from starting."""
        connection = connect(self.credentials, self.limits)
        if self._lock and not self._share_lock(connection):
            connection.close()
            raise LostLockError(
                f"{self.name}: this load has lost its lock because the connection that held it "
                "ended; another load may have begun, so this one is not completed; load again"
            )
        return connection

    def _share_lock(self, connection: Any) -> bool:
        with connection.cursor() as cursor, contextlib.suppress(psycopg2.Error):
            cursor.execute("select pg_try_advisory_lock_shared(%s, %s)", _WRITING)
            if cursor.fetchone() == (True,):
                (lock,) = self._lock
                lock.execute(
                    f"select exists (select from pg_locks where {_HELD}"
                    " and (classid, objid) = (%s, %s) and pid = pg_backend_pid())",
                    _LOCK,
                )
                return bool(lock.fetchone() == (True,))
        return False

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Any]:
        """Yield a cursor on a new connection, outside of any transaction."""
        try:
            connection = self._open()
        except psycopg2.OperationalError as error:
            raise WarehouseError(f"{self.name} does not answer: {error}") from error
        try:
            with connection.cursor() as cursor:
                yield cursor
        except psycopg2.Error as error:
            message = in_plain_words(error, connection, self.limits) or error
            raise WarehouseError(f"{self.name}: {message}") from error
        finally:
            connection.close()


def _server_process(cursor: Any) -> int:
    cursor.execute("select pg_backend_pid()")
    (process,) = cursor.fetchone()
    return int(process)


def _copy(name: str, batches: pa.RecordBatchReader, cursor: Any) -> int:
    table = sql.Identifier(RAW_DATASET, name)
    if odd := [field for field in batches.schema if field.type not in _TYPES]:
        raise WarehouseError(
            f"{name}.{odd[0].name}: raw tables have no columns of type {odd[0].type}; drop this "
            "column, then copy again"
        )
    columns = sql.SQL(", ").join(
        sql.SQL("{} " + _TYPES[field.type]).format(sql.Identifier(field.name))
        for field in batches.schema
    )
    cursor.execute(sql.SQL("create table {} ({})").format(table, columns))
    rows = 0
    # A quoted value is a text, even if it is empty; an empty value without quotes is null.
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="all_valid")
    statement = sql.SQL("copy {} from stdin with (format csv)").format(table)
    for batch in batches:
        text = io.BytesIO()
        pyarrow.csv.write_csv(batch, text, options)
        text.seek(0)
        cursor.copy_expert(statement, text)
        rows += cursor.rowcount
    return rows
