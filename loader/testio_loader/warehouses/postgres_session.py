"""Opens and configures connections to PostgreSQL, and makes dlt's client use them."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import psycopg2
import psycopg2.errors
from dlt.common.schema import Schema
from dlt.destinations import postgres
from dlt.destinations.exceptions import DatabaseTransientException
from dlt.destinations.impl.postgres.configuration import (
    PostgresClientConfiguration,
    PostgresCredentials,
)
from dlt.destinations.impl.postgres.postgres import PostgresClient
from dlt.destinations.impl.postgres.sql_client import Psycopg2SqlClient

from testio_loader.warehouses.base import this_process

_SETTINGS = """
set timezone = 'UTC';
-- dlt's merge looks up each hash among all rows. With less memory, PostgreSQL 15 searches the list
-- of hashes from its start for every row, once the table has about 100,000 rows.
set work_mem = '256MB';
-- If its platform supports it, the server ends a statement within this time after its client died.
do $$ begin
    set client_connection_check_interval = '5s';
exception when others then null;
end $$;
"""
_HOLDERS = """
select
    activity.pid,
    coalesce(nullif(activity.application_name, ''), 'an unnamed program'),
    activity.usename,
    min(schemas.nspname || '.' || tables.relname),
    count(distinct tables.oid) - 1,
    activity.xact_start
from pg_locks as locks
inner join pg_class as tables on locks.relation = tables.oid and tables.relkind in ('r', 'v', 'm')
inner join pg_namespace as schemas on tables.relnamespace = schemas.oid
inner join pg_stat_activity as activity on locks.pid = activity.pid
where
    locks.granted
    and locks.database = (select oid from pg_database where datname = current_database())
    and starts_with(schemas.nspname, 'testio_')
    and activity.application_name <> current_setting('application_name')
group by 1, 2, 3, 6
order by bool_or(locks.mode <> 'AccessShareLock') desc, activity.xact_start
limit 3
"""


@dataclass(frozen=True)
class Limits:
    """Time limits for statements of the loader, in seconds; 0 means no limit."""

    lock_timeout_seconds: int = 60
    """The limit for each lock that a statement waits for."""
    statement_timeout_seconds: int = 3600


def connect(credentials: PostgresCredentials, limits: Limits) -> Any:
    """Return a connection with the loader's settings, which commits each statement.

    Statements apply the settings, because pgbouncer refuses the startup parameter `options`.
    """
    # Not in the URL, because libpq does not decode the + that encodes a blank there.
    options = credentials.get_query().get("options")
    connection = psycopg2.connect(
        credentials.to_native_representation(),
        application_name=this_process(),
        keepalives_idle=60,
        **({"options": options} if options else {}),
    )
    connection.autocommit = True
    set_up(connection, limits)
    return connection


def set_up(connection: Any, limits: Limits) -> None:
    """Apply the loader's settings to a session that is new or was reset."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_SETTINGS} set lock_timeout = '{limits.lock_timeout_seconds}s';"
            f" set statement_timeout = '{limits.statement_timeout_seconds}s'"
        )


def in_plain_words(error: BaseException, connection: Any, limits: Limits) -> str:
    """Return what a timeout means: who holds the lock, or which setting to raise."""
    if isinstance(error, psycopg2.errors.LockNotAvailable):
        return (
            f"a lock was not free within {limits.lock_timeout_seconds} s (lock_timeout_seconds): "
            f"{_holders(connection)}; end that transaction, or try again later"
        )
    if isinstance(error, psycopg2.errors.QueryCanceled):
        return (
            f"a statement took longer than {limits.statement_timeout_seconds} s and was cancelled; "
            "raise statement_timeout_seconds if it needs that long"
        )
    return ""


def _holders(connection: Any) -> str:
    with connection.cursor() as cursor:
        cursor.execute("rollback")
        cursor.execute(_HOLDERS)
        holders = [
            f"{program} (user {user}, process {pid}"
            + (f", since {since:%Y-%m-%d %H:%M:%S} UTC" if since else "")
            + f") holds {table}"
            + (f" and {more} more" if more else "")
            for pid, program, user, table, more, since in cursor.fetchall()
        ]
    return "; ".join(holders) or "whoever held it is gone by now"


class _SqlClient(Psycopg2SqlClient):
    """dlt's SQL client, on connections that `opened` returns."""

    def __init__(
        self, client: Psycopg2SqlClient, opened: Callable[[], Any], limits: Limits
    ) -> None:
        super().__init__(
            client.dataset_name,
            client.staging_dataset_name,
            client.credentials,
            client.capabilities,
        )
        self._opened, self._limits = opened, limits

    def open_connection(self) -> Any:
        self._conn = self._opened()
        self._set_search_path()
        return self._conn

    def _reset_connection(self) -> None:
        super()._reset_connection()
        set_up(self._conn, self._limits)
        self._set_search_path()

    def _set_search_path(self) -> None:
        with self._conn.cursor() as cursor:
            cursor.execute(f"set search_path = {self.fully_qualified_dataset_name()}, public")

    @contextlib.contextmanager
    def execute_query(self, query: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
        try:
            with super().execute_query(query, *args, **kwargs) as found:
                yield found
        except DatabaseTransientException as error:
            if message := in_plain_words(error.dbapi_exception, self._conn, self._limits):
                shown = psycopg2.OperationalError(message)
                raise DatabaseTransientException(shown) from shown  # users see the cause
            raise


class PostgresDestination(postgres):
    """dlt's destination; its clients use connections that `opened` returns."""

    def __init__(
        self, credentials: PostgresCredentials, opened: Callable[[], Any], limits: Limits
    ) -> None:
        super().__init__(credentials=credentials)
        self._opened, self._limits = opened, limits

    @property
    def destination_type(self) -> str:
        """dlt's own type, because configuration and pipeline state contain it."""
        return "dlt.destinations.postgres"

    def client(
        self, schema: Schema, initial_config: PostgresClientConfiguration | None = None
    ) -> PostgresClient:
        """Return dlt's client, with connections that `opened` returns."""
        client = super().client(schema, cast(PostgresClientConfiguration, initial_config))
        client.sql_client = _SqlClient(client.sql_client, self._opened, self._limits)
        return client
