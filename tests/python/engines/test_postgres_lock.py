"""Loads into PostgreSQL that lose their lock, wait for one, or are told to end."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from click.testing import Result
from commands import run as command
from conftest import configured, small_account
from engines import Postgres
from moments import loads

from testio_sandbox import Answer, Query, serve
from testio_sandbox.changes import a_day

pytestmark = pytest.mark.postgres
Run = Callable[..., Result]
_END_THE_HOLDER = (
    "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'"
    " and mode = 'ExclusiveLock'"
    " and database = (select oid from pg_database where datname = current_database())"
)


@pytest.fixture
def database(
    cluster: Postgres, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Postgres]:
    """An empty database, to which commands go."""
    with cluster.cursor(user="admin", dbname="postgres") as cursor:
        cursor.execute("drop database if exists locks with (force)")
    postgres = cluster.another("locks")
    for name, value in {**postgres.environment, "TESTIO_DESTINATION": "postgres"}.items():
        monkeypatch.setenv(name, value)
    yield postgres
    postgres.folder.rmdir()


def end_the_holder(database: Postgres) -> None:
    """End the connection that holds a load's lock, as a fail-over would."""
    with database.cursor(user="admin") as cursor:
        cursor.execute(_END_THE_HOLDER)
        assert cursor.fetchall() == [(True,)]


def landed(database: Postgres) -> tuple[list[tuple[Any, ...]], int]:
    """Return the ids of the bugs that count, and how many loads are complete."""
    bugs = database.query(
        "select id from testio_raw.bugs inner join testio_raw._dlt_loads"
        " on _dlt_load_id = load_id and status = 0 where _dlt_valid_to is null order by id"
    )[1]
    return bugs, len(database.query("select from testio_raw._dlt_loads")[1])


def test_a_load_that_lost_its_lock_lands_nothing_beside_another_one(
    database: Postgres, run: Run
) -> None:
    """Issue 15, row 26: another load takes over while the first one is still reading."""
    account, is_reading, goes_on = small_account(), Event(), Event()

    def waiting(path: str, query: Query) -> Answer:
        if path == "/bugs":
            is_reading.set()
            goes_on.wait(60)
        return account(path, query)

    Path("first").mkdir()
    with (
        serve(waiting) as sandbox,
        loads(configured(sandbox.url)) as running,
        ThreadPoolExecutor(1) as pool,
    ):
        first = pool.submit(running.run, Path.cwd() / "first" / "load")
        try:
            assert is_reading.wait(60)
            end_the_holder(database)
            assert run(account).exit_code == 0
            before = landed(database)
        finally:
            goes_on.set()
        status, told = first.result()
    assert status == 1
    assert "has lost its lock" in told.splitlines()[-1]
    assert landed(database) == before
    assert (len(before[0]), before[1]) == (60, 1)
    assert run(account, "--full").exit_code == 0
    assert len(landed(database)[0]) == 60


@pytest.mark.parametrize("statement", ["CREATE TABLE", "UPDATE", "INSERT INTO"])
def test_a_lock_that_is_lost_while_landing_ends_the_load(
    statement: str, database: Postgres, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 15, row 26: whatever is being written then, nothing of the load counts."""
    from dlt.destinations.impl.postgres.sql_client import Psycopg2SqlClient

    account, ended = small_account(), []
    execute = Psycopg2SqlClient.execute_query

    def ending(self: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        if statement in str(query) and not ended:
            ended.append(query)
            end_the_holder(database)
        return execute(self, query, *arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(Psycopg2SqlClient, "execute_query", ending)
        result = run(account)
    assert ended
    assert result.exit_code == 1
    assert "has lost its lock" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("testio-loader: ")
    assert "Traceback" not in result.stderr
    assert landed(database) == ([], 0)
    assert list(Path(".testio").rglob("*.csv")) == []
    assert run(account).exit_code == 0
    assert landed(database)[1] == 1
    assert len(landed(database)[0]) == 60


def test_nobody_begins_while_a_load_that_lost_its_lock_completes(
    database: Postgres, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 15, row 26: the transaction that completes a load keeps the others out."""
    from dlt.destinations.impl.postgres.sql_client import Psycopg2SqlClient

    account, second = small_account(), []
    monkeypatch.setenv("SOURCES__TESTIO__LOCK_TIMEOUT_SECONDS", "1")
    execute = Psycopg2SqlClient.execute_query

    def ending(self: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        if "_dlt_loads" in str(query) and str(query).startswith("INSERT") and not second:
            second.append(None)
            end_the_holder(database)
            second.append(command("load", "--replay", "recorded", status=1))
        return execute(self, query, *arguments, **options)

    with serve(account) as sandbox, monkeypatch.context() as patched:
        for name, value in configured(sandbox.url).items():
            patched.setenv(name, value)
        command("load", "--record", "recorded", "--destination", "duckdb")
        patched.setattr(Psycopg2SqlClient, "execute_query", ending)
        command("load")
    assert re.search(r"being loaded by process [0-9]+ on ", second[1].stderr)
    assert len(landed(database)[0]) == 60


def test_a_lock_that_does_not_get_free_ends_the_load_and_names_who_has_it(
    database: Postgres, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 15, row 27: a load waited for over 12 minutes on somebody's transaction."""
    account = small_account()
    assert run(account).exit_code == 0
    a_day(account, 1)
    monkeypatch.setenv("SOURCES__TESTIO__LOCK_TIMEOUT_SECONDS", "1")
    began_at = time.monotonic()
    with database.cursor(user="admin", application_name="tom's notebook") as cursor:
        cursor.execute("begin; lock table testio_raw.bugs in exclusive mode")
        told = [run(account)]
    with database.cursor(application_name="dbt") as cursor:

        def holding(path: str, query: Query) -> Answer:
            cursor.execute("lock table testio_raw.bugs in exclusive mode")
            return account(path, query)

        cursor.execute("begin")
        told.append(run(holding))
        cursor.execute("rollback; begin; lock table testio_raw._dlt_version")
        told.append(run(account))
    assert time.monotonic() - began_at < 120
    assert [result.exit_code for result in told] == [1, 1, 1]
    for result, holder in zip(
        told,
        (
            r"tom's notebook \(user admin, process [0-9]+\) holds testio_raw.bugs;",
            r"dbt \(user loader, process [0-9]+, since 20[-0-9: ]+ UTC\) holds testio_raw.bugs;",
            r"dbt \(user loader, process [0-9]+, since 20[-0-9: ]+ UTC\) holds testio_raw._dlt_v",
        ),
        strict=True,
    ):
        last = result.stderr.splitlines()[-1]
        assert re.search(holder, last)
        assert "lock_timeout_seconds" in last
    assert run(account).exit_code == 0


@pytest.mark.parametrize("held", ["bugs", "_dlt_version"])
def test_a_load_that_waits_for_a_lock_ends_when_told_to(
    held: str, database: Postgres, run: Run
) -> None:
    """Issue 15, row 27: a load that waited ignored SIGTERM."""
    account = small_account()
    assert run(account).exit_code == 0
    a_day(account, 1)
    waiting = (
        "select pid from pg_stat_activity where datname = 'locks' and wait_event_type = 'Lock'"
    )
    with database.cursor(user="admin") as cursor, serve(account) as sandbox:
        cursor.execute(f"begin; lock table testio_raw.{held} in access exclusive mode")
        with subprocess.Popen(
            [Path(sys.executable).with_name("testio-loader"), "load"],
            env={**os.environ, **configured(sandbox.url)},
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            eventually(lambda: database.query(waiting)[1])
            told_at = time.monotonic()
            process.terminate()
            assert process.wait(30) == 128 + signal.SIGTERM
            assert time.monotonic() - told_at < 5
            assert process.stderr
            *_, last = process.stderr.read().splitlines()
            assert last.startswith("testio-loader: ended by SIGTERM; what has landed stays")
        # The server ends the statement before its lock is free.
        eventually(lambda: not database.query(waiting)[1])
        cursor.execute("rollback")
    assert run(account).exit_code == 0


def eventually(holds: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_limit_that_is_no_number_is_told(
    database: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 15, row 27: the limits are settings."""
    monkeypatch.setenv("SOURCES__TESTIO__STATEMENT_TIMEOUT_SECONDS", "1h")
    told = command("status", status=2).stderr
    assert "SOURCES__TESTIO__STATEMENT_TIMEOUT_SECONDS to a whole number of seconds" in told
    monkeypatch.setenv("SOURCES__TESTIO__STATEMENT_TIMEOUT_SECONDS", "0")
    assert "no raw data in" in command("status", status=1).stderr
