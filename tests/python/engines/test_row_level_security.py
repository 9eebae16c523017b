"""On PostgreSQL, a role sees the rows of its customers only, whatever happens meanwhile."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import psycopg2
import psycopg2.errors
import pytest
from conftest import SETTINGS
from engines import PASSWORD, Postgres

from testio_loader.customers import Customer
from testio_loader.land import pipeline
from testio_loader.warehouses.duckdb_file import DuckDbFile
from testio_sandbox import TOKEN, Account, serve

pytestmark = pytest.mark.postgres
ROLES = "customer_roles: {acme: [1], globex: [2], analyst: all}"
TABLES = ("testio_marts.fct_bugs", "testio_marts.dim_products", "testio_audit.audit_scopes")


@pytest.fixture(scope="module")
def shared(cluster: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Postgres:
    """A warehouse of two customers, built for the roles of both."""
    path = tmp_path_factory.mktemp("shared") / "warehouse.duckdb"
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name, value in SETTINGS.items():
            monkeypatch.setenv(name, value)
        for customer_id in (1, 2):
            account = Account(products=2, tests=6, bugs=40, customer=customer_id)
            with serve(account) as sandbox:
                customer = Customer(f"customer {customer_id}", customer_id, TOKEN, sandbox.url)
                assert not pipeline.load(DuckDbFile(path), customer).problems
    postgres = cluster.another("shared")
    postgres.copy_raw(path)
    with postgres.cursor(user="admin") as cursor:
        for role in ("acme", "globex", "analyst", "nobody"):
            cursor.execute(f"create role {role} login password '{PASSWORD}'")
        # Whoever manages the database may have given everyone the right to read new tables.
        cursor.execute("alter default privileges for role loader grant select on tables to public")
    build(postgres)
    return postgres


def build(postgres: Postgres) -> None:
    postgres.dbt("run", "--vars", f"{{{ROLES}}}")


def customers_in(cursor: Any, table: str) -> set[int]:
    cursor.execute(f"select distinct customer_id from {table}")
    return {customer_id for (customer_id,) in cursor.fetchall()}


@pytest.mark.parametrize(
    ("role", "customers"), [("acme", {1}), ("globex", {2}), ("analyst", {1, 2}), ("loader", {1, 2})]
)
def test_a_role_sees_its_customers(shared: Postgres, role: str, customers: set[int]) -> None:
    with shared.cursor(user=role) as cursor:
        assert {table: customers_in(cursor, table) for table in TABLES} == dict.fromkeys(
            TABLES, customers
        )
        cursor.execute("select count(*) > 365 from testio_marts.dim_dates")
        assert cursor.fetchone() == (True,)


def test_each_table_of_customers_is_restricted(shared: Postgres) -> None:
    _, open_tables = shared.query(
        "select relname from pg_class where relkind = 'r' and not relrowsecurity "
        "and relnamespace in ('testio_marts'::regnamespace, 'testio_audit'::regnamespace)"
    )
    assert open_tables == [("dim_dates",)]


@pytest.mark.parametrize(
    "statement",
    [
        "select * from testio_raw.bugs",
        "select * from testio_staging.stg_bugs",
        "select * from testio_intermediate.int_present_bugs",
        "select * from testio_semantic.semantic_bug_platforms",
        "delete from testio_marts.fct_bugs",
        "set role loader",
        "alter table testio_marts.fct_bugs disable row level security",
        "set row_security = off; select * from testio_marts.fct_bugs",
    ],
)
def test_a_role_gets_no_further(shared: Postgres, statement: str) -> None:
    with shared.cursor(user="acme") as cursor, pytest.raises(psycopg2.Error) as refusal:
        cursor.execute(statement)
    assert refusal.type is psycopg2.errors.InsufficientPrivilege


def test_who_is_not_named_sees_nothing(shared: Postgres) -> None:
    with shared.cursor() as owner:
        owner.execute("grant usage on schema testio_marts to nobody")
    with shared.cursor(user="nobody") as cursor:
        assert customers_in(cursor, "testio_marts.fct_bugs") == set()


def poll(postgres: Postgres, role: str, ended: threading.Event) -> list[tuple[str, set[int]]]:
    """Let a role read until the end, also what dbt has for a moment only; return what it saw."""
    seen = []
    with postgres.cursor(user=role) as cursor:
        while not ended.is_set():
            for table in TABLES:
                seen.append((table, customers_in(cursor, table)))
                for passing in (f"{table}__dbt_tmp", f"{table}__dbt_backup"):
                    with suppress(psycopg2.errors.UndefinedTable):
                        seen.append((passing, customers_in(cursor, passing)))
    return seen


def test_a_role_that_polls_during_rebuilds_sees_nothing_foreign(shared: Postgres) -> None:
    ended = threading.Event()
    with ThreadPoolExecutor() as pool:
        polls = pool.submit(poll, shared, "acme", ended)
        try:
            for _ in range(2):
                build(shared)
        finally:
            ended.set()
        seen = polls.result()
    assert len(seen) > 100
    assert [(name, found) for name, found in seen if not found <= {1}] == []
    assert all(found == {1} for name, found in seen if name in TABLES)
