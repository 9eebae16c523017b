"""On PostgreSQL, whoever reads in a long transaction holds up a build, and nobody else."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import Loaded
from engines import Postgres

pytestmark = pytest.mark.postgres
_TABLE = "testio_staging.stg_products"
_WAITING = "select from pg_stat_activity where application_name = 'dbt' and wait_event = 'PgSleep'"


@pytest.fixture(scope="module")
def built(cluster: Postgres, undisturbed: Loaded) -> Postgres:
    postgres = cluster.another("readers")
    postgres.copy_raw(undisturbed.path)
    build(postgres)
    with postgres.cursor(user="admin") as cursor:
        cursor.execute("grant usage on schema testio_staging to public")
        cursor.execute("alter default privileges for role loader grant select on tables to public")
        cursor.execute("create schema theirs")
        cursor.execute("alter schema theirs owner to loader")
    return postgres


def build(postgres: Postgres, seconds: int = 600, status: int = 0) -> str:
    return postgres.dbt(
        "run", "--select", "+stg_products", "--vars", f"lock_wait_seconds: {seconds}", status=status
    )


def oid(postgres: Postgres) -> int:
    ((found,),) = postgres.query(f"select '{_TABLE}'::regclass::oid::bigint")[1]
    return int(found)


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 300
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def longest_wait(built: Postgres) -> Iterator[list[float]]:
    """Somebody else's waits, in seconds, while they read the table again and again."""
    waits, ended = [0.0], threading.Event()

    def read() -> None:
        with built.cursor(user="admin", application_name="dashboard") as cursor:
            while not ended.wait(0.02):
                began_at = time.monotonic()
                cursor.execute(f"select count(*) from {_TABLE}")
                waits.append(time.monotonic() - began_at)

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read)
        yield waits
        ended.set()
        reading.result()


def test_a_reader_that_ends_lets_the_build_through(
    built: Postgres, longest_wait: list[float]
) -> None:
    """Issue 15, row 29: a reader's open transaction blocked everybody behind the build."""
    before = oid(built)
    with (
        built.cursor(user="admin", application_name="notebook") as cursor,
        ThreadPoolExecutor(1) as pool,
    ):
        cursor.execute(f"begin; select from {_TABLE}")
        building = pool.submit(build, built)
        for is_waiting in (True, False, True, False):  # it has tried twice and waited
            eventually(lambda: bool(built.query(_WAITING)[1]) == is_waiting)  # noqa: B023
        seen = len(longest_wait)
        time.sleep(1)
        cursor.execute(f"select from {_TABLE}; commit")
        building.result()
    assert seen > 20
    assert max(longest_wait) < 10
    assert oid(built) != before


def test_a_reader_that_does_not_end_is_named(built: Postgres, longest_wait: list[float]) -> None:
    """Issue 15, row 29: the build ends, in its own time, and says who holds the table."""
    before = oid(built)
    with built.cursor(user="admin", application_name="notebook") as cursor:
        cursor.execute(f"begin; select from {_TABLE}")
        told = build(built, seconds=2, status=1)
        cursor.execute("commit")
    assert "no lock within 2 s (var lock_wait_seconds): " in told
    assert "notebook (user admin, process " in told
    assert f"holds {_TABLE}; end that transaction, then build again" in told
    assert max(longest_wait) < 10
    assert oid(built) == before
    build(built)
    assert oid(built) != before


def test_who_holds_a_view_of_the_old_table_is_named(built: Postgres) -> None:
    """Issue 15, row 29: the old table is dropped with the views that read it."""
    with built.cursor() as cursor:
        cursor.execute(f"create or replace view theirs.products as select * from {_TABLE}")
        cursor.execute("begin; comment on view theirs.products is 'x'")
        cursor.execute("set application_name = 'notebook'")
        told = build(built, seconds=2, status=1)
        cursor.execute("commit")
    assert "notebook (user loader, process " in told
    assert "holds theirs.products; end that transaction" in told
    build(built)
    assert built.query(f"select count(*) from {_TABLE}")[1] == [(3,)]
