"""Connections to PostgreSQL: how each is set up, and dlt's client that uses them."""

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
-- dlt's merge looks up each hash among all rows. With less memory PostgreSQL 15 searches the list
-- of hashes from its start for every row, once the table has some 100,000.
set work_mem = '256MB';
-- Where its platform can, a server ends a statement whose client is gone, after this time.
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
    """How long the server lets a statement of ours run; 0 is without limit."""

    lock_timeout_seconds: int = 60
    """For each lock that a statement waits for."""
    statement_timeout_seconds: int = 3600


def connect(credentials: PostgresCredentials, limits: Limits) -> Any:
    """Return a connection that commits each statement, set up for the loader.

    Statements make the settings: pgbouncer refuses the startup parameter `options`.
    """
    # Apart from the URL, where libpq takes the + that stands for a blank as it is.
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
    """Make the loader's settings in a session that has none or was reset."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_SETTINGS} set lock_timeout = '{limits.lock_timeout_seconds}s';"
            f" set statement_timeout = '{limits.statement_timeout_seconds}s'"
        )


def in_plain_words(error: BaseException, connection: Any, limits: Limits) -> str:
    """Return what a time-out means: who holds what, or which setting ends it; else nothing."""
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
    """dlt's client, on connections of ours."""

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
            if words := in_plain_words(error.dbapi_exception, self._conn, self._limits):
                told = psycopg2.OperationalError(words)
                raise DatabaseTransientException(told) from told  # what people are shown
            raise


class PostgresDestination(postgres):
    """dlt's destination; its clients get their connections from `opened`."""

    def __init__(
        self, credentials: PostgresCredentials, opened: Callable[[], Any], limits: Limits
    ) -> None:
        super().__init__(credentials=credentials)
        self._opened, self._limits = opened, limits

    @property
    def destination_type(self) -> str:
        """dlt's own, as configuration and the state of a pipeline have it."""
        return "dlt.destinations.postgres"

    def client(
        self, schema: Schema, initial_config: PostgresClientConfiguration | None = None
    ) -> PostgresClient:
        """Return dlt's client, whose statements go over connections of ours."""
        client = super().client(schema, cast(PostgresClientConfiguration, initial_config))
        client.sql_client = _SqlClient(client.sql_client, self._opened, self._limits)
        return client
