"""The loader on PostgreSQL: what lands is what lands in DuckDB, whatever happens on the way."""

import json
import os
import random
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

import dlt
import duckdb
import pyarrow as pa
import pytest
import raw
from click.testing import Result
from commands import configure, kill_while_landing
from commands import run as command
from conftest import SETTINGS, configured, detail_calls, small_account
from engines import PASSWORD, Postgres, postgres
from moments import KILLED, Loads, loads, sql_client

from testio_loader import raise_if_incomplete, testio
from testio_loader.errors import IncompleteLoadError
from testio_sandbox import Account, Answer, Query, serve
from testio_sandbox.changes import a_day
from testio_sandbox.faults import broken_test, hostile_records, revoked

pytestmark = pytest.mark.postgres
KILLS, KILLS_BY_TIME = 8, 4
_ADMIN = {"user": "admin", "dbname": "postgres"}
Run = Callable[..., Result]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with postgres(tmp_path_factory.mktemp("cluster")) as running:
        yield running


def fresh(cluster: Postgres, template: str = "template0") -> None:
    """Make the test's database anew."""
    with cluster.cursor(**_ADMIN) as cursor:
        cursor.execute("drop database if exists testio with (force)")
        cursor.execute(f"create database testio owner loader template {template}")


@pytest.fixture
def database(cluster: Postgres, monkeypatch: pytest.MonkeyPatch) -> Postgres:
    """An empty database, to which commands go."""
    fresh(cluster)
    for name, value in {**cluster.environment, "TESTIO_DESTINATION": "postgres"}.items():
        monkeypatch.setenv(name, value)
    return cluster


def read(cluster: Postgres) -> raw.Raw:
    """Return what has landed, by the same questions as of a file."""
    tables = "select table_name from information_schema.tables where table_schema = 'testio_raw'"
    with duckdb.connect() as connection:
        connection.execute("create schema testio_raw; set TimeZone = 'UTC'")
        for (table,) in cluster.query(tables)[1]:
            names, rows = cluster.query(f"select * from testio_raw.{table}")
            columns = zip(*rows, strict=True) if rows else [[] for _ in names]
            landed = pa.table(dict(zip(names, map(list, columns), strict=True)))
            connection.execute(f"create table testio_raw.{table} as from landed")
            assert landed.num_rows == len(rows)
        return raw.read_from(connection)


def test_what_lands_is_what_lands_in_duckdb(database: Postgres, run: Run, warehouse: Path) -> None:
    account, other = small_account(), small_account()
    for day, fault in enumerate([hostile_records, hostile_records, broken_test, hostile_records]):
        results = [
            run(fault(served), "--full", "--destination", destination)
            for served, destination in ((account, "postgres"), (other, "duckdb"))
        ]
        assert results[0].exit_code == results[1].exit_code == 3
        landed, expected = read(database), raw.read(warehouse)
        assert raw.differences(landed, expected) == []
        assert landed == expected
        assert raw.doubled(landed) == []
        a_day(account, day)
        a_day(other, day)
    assert landed.quarantine
    assert set(landed.incomplete.values()) == {"6 in quarantine without a key"}


def test_details_wait_while_nothing_of_their_test_has_changed(database: Postgres, run: Run) -> None:
    assert detail_calls(run, "postgres") == [205, 0]


def test_a_pipeline_of_ones_own_lands_what_the_command_lands(
    database: Postgres, run: Run, warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 16: on PostgreSQL as in DuckDB, twice, and the command goes on with it."""
    account, other = small_account(), small_account()
    for day in range(2):
        with serve(hostile_records(account)) as sandbox:
            for name, value in configured(sandbox.url).items():
                monkeypatch.setenv(name, value)
            pipeline = dlt.pipeline(
                "mine",
                destination="postgres",
                dataset_name="testio_raw",
                pipelines_dir=str(warehouse.parent / "pipelines"),
            )
            pipeline.run(testio())
            with pytest.raises(IncompleteLoadError, match="6 in quarantine without a key"):
                raise_if_incomplete(pipeline)
        run(hostile_records(other), "--destination", "duckdb")
        landed, expected = read(database), raw.read(warehouse)
        assert raw.differences(landed, expected) == []
        assert raw.doubled(landed) == []
        a_day(account, day)
        a_day(other, day)
    versions = read(database)
    assert run(hostile_records(account)).exit_code == 3
    assert raw.doubled(read(database)) == []
    assert versions.quarantine


def test_what_is_not_text_to_copy_lands_as_it_is(database: Postgres, run: Run) -> None:
    hostile = ["\\.", "\\N", "", '"', ",\r\n", "NULL", "\t", "\\\\", "'; --", "\U0001f41e", "￿"]
    account = small_account()

    def served(path: str, query: Query) -> Answer:
        answer = account(path, query)
        if path != "/products":
            return answer
        products = [{**p, "name": name} for p in answer.json()["products"] for name in hostile]
        products = [{**p, "id": at} for at, p in enumerate(products, 1)]
        return Answer(200, {"products": products})

    assert run(served).exit_code == 3  # such products have no lists of tests
    rows = database.query("select payload from testio_raw.products order by id")[1]
    assert [json.loads(payload)["name"] for (payload,) in rows] == hostile * 3


@pytest.mark.usefixtures("database")
def test_a_refused_token_lands_nothing(run: Run) -> None:
    result = run(revoked(small_account(), after=0))
    assert result.exit_code == 1
    assert "check the token" in result.stderr
    assert "no raw data in" in command("status", status=1).stderr


def test_an_emptied_or_closed_database_is_told_in_one_line(
    database: Postgres, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "no raw data in 127.0.0.1:" in command("status", status=1).stderr
    for variable, value, told in (
        ("PASSWORD", "wrong-s3cr3t", "authentication failed"),
        ("PORT", "9", "does not answer"),
        ("DATABASE", "none", "does not exist"),
    ):
        with monkeypatch.context() as elsewhere:
            elsewhere.setenv(f"DESTINATION__POSTGRES__CREDENTIALS__{variable}", value)
            results = [run(small_account()), command("status", status=1)]
            for result in results:
                assert result.exit_code == 1
                assert told in result.stderr
                assert result.stderr.count("\n") == 1
                assert "s3cr3t" not in result.stderr
                assert PASSWORD not in result.stderr
            assert told in command("check", status=1).stdout
    for variable in database.environment:
        monkeypatch.delenv(variable)
    assert "set DESTINATION__POSTGRES__CREDENTIALS" in command("status", status=1).stderr


def test_a_url_configures_it_as_well(
    database: Postgres, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = "DESTINATION__POSTGRES__CREDENTIALS"
    port = database.environment[f"{prefix}__PORT"]
    for variable in database.environment:
        monkeypatch.delenv(variable)
    monkeypatch.setenv(
        prefix, f"postgresql://loader:not%2Fa%3Asecret%40all@127.0.0.1:{port}/testio"
    )
    assert run(small_account()).exit_code == 0
    assert len(json.loads(command("status", "--json").stdout)["loads"]) == 1


def test_check_and_status_tell_what_there_is(
    database: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(small_account()) as sandbox:
        for name, value in configured(sandbox.url).items():
            monkeypatch.setenv(name, value)
        assert "where loader may create schemas" in command("check").stdout
        command("load")
        found = command("check").stdout
        assert "12 tests so far" in found
        assert "not ok" not in found
        status = json.loads(command("status", "--json").stdout)
        assert [load["incomplete"] for load in status["loads"]] == [0]
        assert status["customers"][0]["tests"] == 12
        dry = json.loads(command("load", "--dry-run", "--json").stdout)
        assert dry["customers"][0]["endpoints"]
        command("drop", "--yes")
        assert database.query("select 1 from pg_namespace where nspname ~ '^testio_raw'")[1] == []
        command("load")


# Moving from a file


def test_after_moving_from_duckdb_loads_go_on_as_if_nothing_had_happened(
    database: Postgres, run: Run, warehouse: Path
) -> None:
    account = small_account()
    for day in (1, 2):
        assert run(hostile_records(account), "--destination", "duckdb").exit_code == 3
        a_day(account, day)
    told = command("copy").output
    assert read(database) == raw.read(warehouse)
    loads_of = "select load_id, status, inserted_at from testio_raw._dlt_loads order by load_id"
    with duckdb.connect(str(warehouse)) as connection:
        assert database.query(loads_of)[1] == connection.execute(loads_of).fetchall()
        (rows,) = connection.execute("select count(*) from testio_raw.bugs").fetchone() or (0,)
    assert rows
    assert re.search(r"Copied [0-9,]+ rows of [0-9]+ tables to 127.0.0.1", told)
    refused = command("copy", status=1)
    assert "has raw data already" in refused.stderr
    for destination in ("postgres", "duckdb"):
        assert run(account, "--destination", destination).exit_code == 0
    assert read(database) == raw.read(warehouse)
    assert "duckdb is the source" in command("copy", "--destination", "duckdb", status=2).stderr


def test_a_copy_that_is_cut_short_leaves_nothing(
    database: Postgres, run: Run, warehouse: Path
) -> None:
    assert run(small_account(), "--destination", "duckdb").exit_code == 0
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("alter table testio_raw.bugs add column odd integer[]")
    assert "bugs.odd" in command("copy", status=1).stderr
    assert "no raw data in" in command("status", status=1).stderr


# Cut short


class Story(NamedTuple):
    """An account that has been loaded before and has changed since."""

    cluster: Postgres
    loads: Loads
    before: raw.Raw
    after: raw.Raw
    moments: list[str]
    """Of the load that lands the changes."""

    def begin(self, folder: Path) -> Path:
        fresh(self.cluster, "before")
        return folder / "load"


@pytest.fixture(scope="module")
def story(cluster: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("story")
    account = small_account()
    fresh(cluster)
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {**SETTINGS, **cluster.environment}.items():
            environment.setenv(name, value)
        environment.setenv("TESTIO_DESTINATION", "postgres")
        with serve(account) as sandbox, loads(configured(sandbox.url)) as running:
            assert running.run(folder / "load")[0] == 0
            before = read(cluster)
            with cluster.cursor(**_ADMIN) as cursor:
                cursor.execute("drop database if exists before")
                cursor.execute("create database before template testio")
            a_day(account, 1)
            bug = account("/bugs", {}).json()["bugs"][0]
            account.add("bugs", {**bug, "title": "has the id of another one"})
            moments = running.moments(folder / "load")
            after = read(cluster)
            assert after.quarantine
            yield Story(cluster, running, before, after, moments)


def assert_completes(story: Story, load: Path) -> None:
    halted = read(story.cluster)
    assert halted.current in (story.before.current, story.after.current)
    assert story.loads.run(load)[0] == 0
    landed = read(story.cluster)
    assert raw.differences(landed, story.after) == []
    assert landed.ledger == story.after.ledger
    assert landed.repeated == []


@pytest.mark.parametrize("kill", range(KILLS))
def test_a_load_that_is_killed_is_made_up_for(kill: int, story: Story, tmp_path: Path) -> None:
    load = story.begin(tmp_path)
    share = len(story.moments) / KILLS
    moment = 1 + int(share * (kill + random.Random(kill).random()))
    assert story.loads.run(load, moment=moment)[0] == KILLED
    if kill % 3 == 2:
        shutil.rmtree(tmp_path / ".testio")  # as on another machine
    assert_completes(story, load)


@pytest.mark.parametrize("kill", range(KILLS_BY_TIME))
def test_a_load_that_is_killed_at_any_time_is_made_up_for(
    kill: int, story: Story, tmp_path: Path
) -> None:
    load = story.begin(tmp_path)
    seconds = 2 * (kill + random.Random(kill).random()) / KILLS_BY_TIME
    assert story.loads.run(load, seconds=seconds)[0] in (KILLED, 0)
    assert_completes(story, load)


def test_a_merge_whose_connection_is_cut_is_tried_again(
    database: Postgres, run: Run, warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = small_account()
    for destination in ("postgres", "duckdb"):
        assert run(account, "--destination", destination).exit_code == 0
    a_day(account, 1)
    assert run(account, "--destination", "duckdb").exit_code == 0
    client, cut = sql_client(), []
    execute = client.execute_query

    def cutting(self: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        if str(query).lstrip().startswith("UPDATE") and not cut:
            cut.append(query)
            with database.cursor(**_ADMIN) as cursor:
                cursor.execute(
                    "select pg_terminate_backend(pid) from pg_locks"
                    " where locktype = 'advisory' and mode = 'ShareLock'"
                )
                assert cursor.fetchall() == [(True,)]
        return execute(self, query, *arguments, **options)

    monkeypatch.setattr(client, "execute_query", cutting)
    assert run(account).exit_code == 0
    assert cut
    assert read(database) == raw.read(warehouse)


def test_a_statement_that_fails_in_the_middle_of_a_merge_leaves_the_table_as_it_was(
    story: Story, tmp_path: Path
) -> None:
    load = story.begin(tmp_path)
    with story.cluster.cursor() as cursor:
        cursor.execute("create unique index one_version on testio_raw.bugs (customer_id, id)")
        for _ in range(2):
            status, output = story.loads.run(load)
            assert status == 1
            assert "one_version" in output.splitlines()[-1]
            halted = read(story.cluster)
            assert halted.current == story.before.current
            assert halted.versions["bugs"] == story.before.versions["bugs"]
        cursor.execute("drop index testio_raw.one_version")
    assert_completes(story, load)


# Who may load


def test_the_second_of_two_loads_says_who_is_first_and_ends(database: Postgres, run: Run) -> None:
    account, is_first, goes_on = small_account(), Event(), Event()

    def waiting(path: str, query: Query) -> Answer:
        is_first.set()
        goes_on.wait()
        return account(path, query)

    with (
        serve(waiting) as sandbox,
        loads(configured(sandbox.url)) as running,
        ThreadPoolExecutor(1) as pool,
    ):
        first = pool.submit(running.run, Path.cwd() / "elsewhere" / "load")
        try:
            Path("elsewhere").mkdir()
            assert is_first.wait(60)
            second = run(account)
            told = command("status", status=1).stderr
            found = command("check", status=1).stdout
        finally:
            goes_on.set()
        assert first.result()[0] == 0
    assert second.exit_code == 1
    for text in (second.stderr, told, found):
        assert re.search(r"being loaded by process [0-9]+ on \S+ since 20", text)
    assert second.stderr.count("\n") == 1
    assert run(account).exit_code == 0


# Erasing, and secrets


def test_nothing_is_left_of_whom_is_erased(
    cluster: Postgres, database: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = b"Marker-7f3a9c51d2"

    def marked(path: str, query: Query) -> Answer:
        answer = Account(products=2, tests=6, bugs=24, customer=1)(path, query)
        return Answer(answer.status, answer.data().replace(b'"title":"', b'"title":"' + marker))

    stayer = Account(products=2, tests=6, bugs=24)
    with serve({"leaver": marked, "stayer": stayer}) as sandbox:
        configure(monkeypatch, sandbox.url, {name: name for name in ("leaver", "stayer")})
        command("load")
        with database.cursor() as cursor:
            cursor.execute("create schema testio_marts; create schema theirs")
            cursor.execute(
                "create table testio_marts.fct_bugs as select customer_id, id, payload"
                " from testio_raw.bugs"
            )
            cursor.execute("create view testio_marts.titles as select * from testio_marts.fct_bugs")
            cursor.execute("create table theirs.numbers as select 1 as customer_id")
            cursor.execute("create table theirs.bugs as select * from testio_marts.fct_bugs")
        kill_while_landing("load", "--full")
        kept = database.query("select * from testio_raw.bugs where customer_id = 2 order by id")[1]
        assert tables_with(cluster, marker)
        done = command("erase", "--customer", "leaver", "--yes", status=1)
        assert "are still in theirs.bugs: if these tables were built" in done.stderr
        with database.cursor() as cursor:
            cursor.execute("drop table theirs.bugs")
        command("erase", "--customer", "leaver", "--yes")
    assert tables_with(cluster, marker) == []
    assert [path for path in Path(".testio").rglob("*") if path.is_file()] == []
    rows = database.query("select * from testio_raw.bugs order by id")[1]
    assert rows == kept != []
    assert database.query("select distinct customer_id from testio_marts.titles")[1] == [(2,)]
    assert database.query("select customer_id from theirs.numbers")[1] == [(1,)]


def tables_with(cluster: Postgres, marker: bytes) -> list[Path]:
    """Return the files of tables that have the marker in their bytes."""
    with cluster.cursor(**_ADMIN) as cursor:
        cursor.execute("checkpoint")
        cursor.execute("show data_directory")
        base = Path(cursor.fetchone()[0], "base")
    return [file for file in base.rglob("*") if file.is_file() and marker in file.read_bytes()]


def test_no_password_is_anywhere(database: Postgres, tmp_path: Path, run: Run) -> None:
    with serve(small_account()) as sandbox:
        environment = {**os.environ, **configured(sandbox.url), "RUNTIME__LOG_LEVEL": "DEBUG"}
        done = subprocess.run(
            ["testio-loader", "-v", "load"],
            env={**environment, "PATH": f"{Path(os.sys.executable).parent}:{os.environ['PATH']}"},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0
        with pytest.MonkeyPatch.context() as patched:
            for name, value in configured(sandbox.url).items():
                patched.setenv(name, value)
            printed = kill_while_landing("-v", "load").encode()
    secret = PASSWORD.encode()
    assert secret not in done.stdout + done.stderr + printed
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if secret in path.read_bytes()] == []
