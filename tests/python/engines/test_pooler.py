"""Loader and dbt behind pgbouncer: with a session for each connection, and without."""

import json
from collections.abc import Callable

import pytest
from click.testing import Result
from commands import run as command
from conftest import configured, small_account
from engines import Postgres
from pooler import pgbouncer

from testio_sandbox import serve

pytestmark = pytest.mark.postgres
Run = Callable[..., Result]


@pytest.fixture
def database(cluster: Postgres) -> Postgres:
    with cluster.cursor(user="admin", dbname="postgres") as cursor:
        cursor.execute("drop database if exists pooled with (force)")
    shared = cluster.another("pooled")
    shared.folder.rmdir()
    return Postgres(cluster.folder, shared.environment)


def go_to(database: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**database.environment, "TESTIO_DESTINATION": "postgres"}.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("busy", [0, 3])
def test_a_pooler_that_would_lose_the_lock_is_refused(
    busy: int, database: Postgres, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 15, row 26: behind a transaction pooler no lock holds, so nothing begins."""
    account = small_account()
    with pgbouncer(database, "transaction") as behind, serve(account) as sandbox:
        go_to(behind, monkeypatch)
        for name, value in configured(sandbox.url).items():
            monkeypatch.setenv(name, value)
        others = [behind.cursor() for _ in range(busy)]
        for cursor in [other.__enter__() for other in others]:
            cursor.execute("begin; select 1")  # they have used sessions that are now free
            cursor.execute("rollback")
        told = command("load", status=1).stderr
        found = command("check", status=1).stdout
        for other in others:
            other.__exit__(None, None, None)
    for text in (told, found):
        assert "pool_mode = session" in text
    assert told.count("\n") == 1
    assert "not ok  warehouse: 127.0.0.1:" in found
    assert database.query("select from pg_namespace where nspname ~ '^testio_raw'")[1] == []
    assert database.query("select from pg_locks where locktype = 'advisory'")[1] == []


def test_a_pooler_with_a_session_for_each_connection_is_fine(
    database: Postgres, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 15, row 31: pgbouncer said "unsupported startup parameter: options"."""
    account = small_account()
    with pgbouncer(database, "session") as behind, serve(account) as sandbox:
        go_to(behind, monkeypatch)
        for name, value in configured(sandbox.url).items():
            monkeypatch.setenv(name, value)
        assert "not ok" not in command("check").stdout
        command("load")
        command("load", "--full")
        assert len(json.loads(command("status", "--json").stdout)["loads"]) == 2
        behind.dbt("run", "--select", "+stg_products")
    assert database.query("select count(*) from testio_staging.stg_products")[1] == [(3,)]
