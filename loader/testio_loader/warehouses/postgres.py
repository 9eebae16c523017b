"""A PostgreSQL database in which loader and dbt work, and who may load into it."""

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
"""Of pg_advisory_lock, which knows numbers only. A load holds the first, by a connection of its
own, and each connection that it writes over shares the second."""
_HELD = (
    "locktype = 'advisory' and granted"
    " and database = (select oid from pg_database where datname = current_database())"
)
_POOLER = (
    "{} is reached by a pooler that gives a connection another session of the server with each "
    "transaction, so that no lock of a load would hold: connect to the server itself, or let the "
    "pooler keep a session for each connection (pgbouncer: pool_mode = session)"
)
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
    """A database, which loads, builds and readers share."""

    credentials: PostgresCredentials

    limits: Limits = field(default_factory=Limits)
    _lock: list[Any] = field(default_factory=list, init=False, repr=False, compare=False)
    """A cursor of the connection that holds the lock, while we are loading."""

    file_format: ClassVar[TLoaderFileFormat] = "csv"

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
        opened = partial(connect, self.credentials, self.limits) if read_only else self._open
        return PostgresDestination(self.credentials, opened, self.limits)

    def select(
        self, sql: str, *parameters: Any, read_only: bool = False
    ) -> Sequence[Sequence[Any]]:
        """Run a query as any other warehouse does; reading needs no lock."""
        return super().select(sql, *parameters, read_only=True)

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
        """Be the only load, from any machine, by a lock of the database.

        The lock is lifted when its connection ends, which a network, a fail-over or an
        administrator may bring about while the load goes on. So each connection that the load
        writes over shares a second lock, and the first must still be held when it has that one.
        Whoever gets the first lock waits until nobody has the second. Thus nothing is written any
        more of a load that has lost its lock, once another one has begun.
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
        """Return who is loading at the moment; nothing if nobody is."""
        with self._connected() as cursor:
            return self._owner(cursor)

    def findings(self) -> Iterator[tuple[bool, str]]:
        """Yield whether the loader may create what it needs, and whether a lock would hold."""
        with self._connected() as cursor:
            self._refuse_shared_sessions(cursor)
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
        if not since:  # of somebody else one may not see more
            return "another process"
        return f"{name} since {since.astimezone(UTC).isoformat(timespec='seconds')}"

    def _refuse_shared_sessions(self, cursor: Any) -> None:
        """Raise WarehouseError if a pooler keeps no session of the server for each connection."""
        ours = _server_process(cursor)
        with self._connected() as other:
            other.execute("begin")  # so that the pooler cannot give its session away
            is_shared = _server_process(other) == ours or _server_process(cursor) != ours
        if is_shared:
            raise WarehouseError(_POOLER.format(self.name))

    def _open(self) -> Any:
        """Return a connection; while we are loading, one over which no other load can write."""
        connection = connect(self.credentials, self.limits)
        if self._lock and not self._share_lock(connection):
            connection.close()
            raise LostLockError(
                f"{self.name}: this load has lost its lock, as the connection that held it has "
                "ended; another load may have begun, so nothing of this one lands; load again"
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
        """Yield a cursor outside of any transaction."""
        try:
            connection = self._open()
        except psycopg2.OperationalError as error:
            raise WarehouseError(f"{self.name} does not answer: {error}") from error
        try:
            with connection.cursor() as cursor:
                yield cursor
        except psycopg2.Error as error:
            words = in_plain_words(error, connection, self.limits) or error
            raise WarehouseError(f"{self.name}: {words}") from error
        finally:
            connection.close()


def _server_process(cursor: Any) -> int:
    cursor.execute("select pg_backend_pid()")
    (process,) = cursor.fetchone()
    return int(process)


def _copy(name: str, batches: pa.RecordBatchReader, cursor: Any) -> int:
    table = sql.Identifier(RAW_DATASET, name)
    if odd := [field for field in batches.schema if field.type not in _TYPES]:
        raise WarehouseError(f"{name}.{odd[0].name}: raw tables have no column of {odd[0].type}")
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
