"""The loader on Iceberg: what lands is what lands in DuckDB, whatever happens on the way."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import duckdb
import pytest
import raw
from click.testing import Result
from commands import run as command
from conftest import SETTINGS, configured, detail_calls, small_account
from engines import PASSWORD, Postgres, lake_environment, postgres
from moments import KILLED, Loads, loads

from testio_loader.warehouses import RAW_DATASET
from testio_sandbox import Account, serve
from testio_sandbox.changes import a_day
from testio_sandbox.faults import broken_test, hostile_records

pytestmark = pytest.mark.postgres  # which has the catalog
KILLS, KILLS_BY_TIME = 4, 1
_ADMIN = {"user": "admin", "dbname": "postgres"}
_CONFIG = "ICEBERG_CATALOG__ICEBERG_CATALOG_CONFIG"
Run = Callable[..., Result]
_COMPLETING_IS_KILLED = """
import os, signal
from testio_loader.commands.cli import main
from testio_loader.warehouses.iceberg import IcebergTables
IcebergTables.complete = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
main(["load"])
"""


class Lake(NamedTuple):
    """A folder of tables, and the cluster that has the catalog."""

    folder: Path
    cluster: Postgres

    @property
    def environment(self) -> dict[str, str]:
        return {"TESTIO_DESTINATION": "iceberg", **lake_environment(self.folder, self.cluster)}

    def begin(self, template: str = "template0") -> None:
        """Make catalog and folder anew, or as they were kept under a name."""
        with self.cluster.cursor(**_ADMIN) as cursor:
            cursor.execute("drop database if exists testio with (force)")
            cursor.execute(f"create database testio owner loader template {template}")
        shutil.rmtree(self.folder, ignore_errors=True)
        kept = self.folder.with_name(template)
        if kept.exists():
            shutil.copytree(kept, self.folder)

    def keep(self, name: str) -> None:
        with self.cluster.cursor(**_ADMIN) as cursor:
            cursor.execute(f"drop database if exists {name}")
            cursor.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'testio'"
            )
            cursor.execute(f"create database {name} template testio")
        shutil.copytree(self.folder, self.folder.with_name(name))


@pytest.fixture(scope="module")
def _lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    folder = tmp_path_factory.mktemp("lakes")
    with postgres(folder) as cluster:
        yield Lake(folder / "lake", cluster)


@pytest.fixture
def lake(_lake: Lake, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """An empty lake, to which commands go."""
    _lake.begin()
    for name, value in _lake.environment.items():
        monkeypatch.setenv(name, value)
    return _lake


def read(lake: Lake) -> raw.Raw:
    """Return what has landed, by the same questions as of a file."""
    from pyiceberg.catalog import load_catalog

    catalog = load_catalog("testio", **json.loads(lake.environment[_CONFIG]))
    with duckdb.connect() as connection:
        connection.execute(f"create schema {RAW_DATASET}; set TimeZone = 'UTC'")
        for _, name in catalog.list_tables(RAW_DATASET):
            landed = catalog.load_table((RAW_DATASET, name)).scan().to_arrow()
            no_end = ", null as _dlt_valid_to" if "content_hash" in landed.schema.names else ""
            connection.execute(f"create table {RAW_DATASET}.{name} as select *{no_end} from landed")
        return raw.read_from(connection)


def alike(given: raw.Raw) -> tuple[object, ...]:
    """Return what must be the same, be versions closed or not."""
    versions = {
        endpoint: sum((Counter({row[:-1]: n}) for row, n in rows.items()), Counter[raw.Row]())
        for endpoint, rows in given.versions.items()
    }
    return versions, given.current, given.ledger, given.quarantine, given.repeated


def test_what_lands_is_what_lands_in_duckdb(lake: Lake, run: Run, warehouse: Path) -> None:
    account, other = small_account(), small_account()
    for day, fault in enumerate([hostile_records, broken_test, hostile_records]):
        results = [
            run(fault(served), "--full", "--destination", destination)
            for served, destination in ((account, "iceberg"), (other, "duckdb"))
        ]
        assert results[0].exit_code == results[1].exit_code == 3
        landed = read(lake)
        assert alike(landed) == alike(raw.read(warehouse))
        a_day(account, day)
        a_day(other, day)
    assert landed.quarantine


def test_details_wait_while_nothing_of_their_test_has_changed(lake: Lake, run: Run) -> None:
    assert detail_calls(run, "iceberg") == [205, 0]


def test_commands_tell_what_there_is(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no raw data in file:///" in command("status", status=1).stderr
    with serve(small_account()) as sandbox:
        for name, value in configured(sandbox.url).items():
            monkeypatch.setenv(name, value)
        assert "whose catalog answers" in command("check").stdout
        command("load")
        assert "12 tests so far" in command("check").stdout
        assert json.loads(command("status", "--json").stdout)["customers"][0]["tests"] == 12
        refused = command("erase", "--customer", "1", "--yes", status=1)
        assert "remove_orphan_files" in refused.stderr
        command("drop", "--yes")
        assert "no raw data in file:///" in command("status", status=1).stderr
        assert not list(lake.folder.rglob("*.parquet"))
        command("load")
        assert json.loads(command("status", "--json").stdout)["customers"][0]["tests"] == 12


def test_what_is_not_configured_or_does_not_answer_is_told_in_one_line(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = lake.environment[_CONFIG]
    for name, value, told in (
        (_CONFIG, config.replace("%40", "%41"), "authentication failed"),
        (_CONFIG, re.sub(r":\d+/testio", ":9/testio", config), "refused"),
        (_CONFIG, "{}", f"set {_CONFIG}"),
        ("DESTINATION__FILESYSTEM__BUCKET_URL", "", "set DESTINATION__FILESYSTEM__BUCKET_URL"),
    ):
        with monkeypatch.context() as elsewhere:
            elsewhere.setenv(name, value)
            told_by = command("status", status=1).stderr
            assert told in told_by
            assert told_by.count("\n") == 1
            assert PASSWORD not in told_by
            assert quote(PASSWORD, safe="") not in told_by
            assert told in command("check", status=1).stdout


def test_after_moving_from_duckdb_loads_go_on_as_if_nothing_had_happened(
    lake: Lake, run: Run, warehouse: Path
) -> None:
    account = small_account()
    for day in (1, 2):
        assert run(hostile_records(account), "--destination", "duckdb").exit_code == 3
        a_day(account, day)
    command("copy")
    assert alike(read(lake)) == alike(raw.read(warehouse))
    assert "has raw data already" in command("copy", status=1).stderr
    for destination in ("iceberg", "duckdb"):
        result = run(account, "--destination", destination)
        assert result.exit_code == 0, result.stderr
    assert alike(read(lake)) == alike(raw.read(warehouse))


def test_a_copy_that_is_cut_short_counts_for_nothing(lake: Lake, run: Run, warehouse: Path) -> None:
    def rename(table: str, name: str) -> None:
        with duckdb.connect(str(warehouse)) as connection:
            connection.execute(f"alter table testio_raw.{table} rename to {name}")

    assert run(small_account(), "--destination", "duckdb").exit_code == 0
    rename("tests", "gone")
    assert "tests" in command("copy", status=1).stderr
    rename("gone", "tests")
    assert "no load has landed" in command("status", status=1).stderr
    assert "has raw data already" in command("copy", status=1).stderr
    command("drop", "--yes")
    command("copy")
    assert alike(read(lake)) == alike(raw.read(warehouse))


# Cut short


class Story(NamedTuple):
    """An account that has been loaded before and has changed since."""

    lake: Lake
    loads: Loads
    before: raw.Raw
    after: raw.Raw
    moments: list[str]
    """Of the load that lands the changes."""
    environment: dict[str, str]
    """In which commands find the sandbox."""

    def begin(self, folder: Path) -> Path:
        self.lake.begin("before")
        return folder / "load"


@pytest.fixture(scope="module")
def story(_lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("story")
    account = Account(products=2, tests=6, bugs=20)  # each commit takes as long as many records
    _lake.begin()
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {**SETTINGS, **_lake.environment}.items():
            environment.setenv(name, value)
        with serve(account) as sandbox, loads(configured(sandbox.url)) as running:
            assert running.run(folder / "load")[0] == 0
            before = read(_lake)
            _lake.keep("before")
            a_day(account, 1)
            moments = running.moments(folder / "load")
            after = read(_lake)
            yield Story(_lake, running, before, after, moments, configured(sandbox.url))


def assert_completes(story: Story, load: Path) -> None:
    halted = read(story.lake)
    assert halted.current in (story.before.current, story.after.current)
    status, output = story.loads.run(load)
    assert status == 0, output
    landed = read(story.lake)
    assert alike(landed)[1:] == alike(story.after)[1:]
    assert landed.versions == story.after.versions


@pytest.mark.parametrize("kill", range(KILLS))
def test_a_load_that_is_killed_is_made_up_for(kill: int, story: Story, tmp_path: Path) -> None:
    load = story.begin(tmp_path)
    share = len(story.moments) / KILLS
    moment = 1 + int(share * (kill + random.Random(kill).random()))
    assert story.loads.run(load, moment=moment)[0] == KILLED
    if kill % 3 == 2:
        shutil.rmtree(tmp_path / ".testio")
    assert_completes(story, load)


@pytest.mark.parametrize("of_what", ["before commit_table", "after commit_table"])
def test_a_load_that_is_killed_between_two_tables_is_made_up_for(
    of_what: str, story: Story, tmp_path: Path
) -> None:
    load = story.begin(tmp_path)
    commits = [at for at, name in enumerate(story.moments, 1) if name.startswith(of_what)]
    assert len(commits) > 3
    assert story.loads.run(load, moment=commits[len(commits) // 2])[0] == KILLED
    assert_completes(story, load)


def test_a_load_that_is_killed_before_it_is_noted_as_complete_is_made_up_for(
    story: Story, tmp_path: Path
) -> None:
    load = story.begin(tmp_path)
    environment = {**os.environ, **story.environment}
    done = subprocess.run(
        [sys.executable, "-c", _COMPLETING_IS_KILLED], cwd=tmp_path, env=environment, check=False
    )
    assert done.returncode == KILLED
    assert read(story.lake).current == story.before.current
    assert_completes(story, load)


@pytest.mark.parametrize("kill", range(KILLS_BY_TIME))
def test_a_load_that_is_killed_at_any_time_is_made_up_for(
    kill: int, story: Story, tmp_path: Path
) -> None:
    load = story.begin(tmp_path)
    seconds = 6 * (kill + random.Random(kill).random()) / KILLS_BY_TIME
    assert story.loads.run(load, seconds=seconds)[0] in (KILLED, 0)
    assert_completes(story, load)


def test_no_password_is_in_any_file(story: Story, tmp_path: Path) -> None:
    load = story.begin(tmp_path)
    landing = next(at for at, name in enumerate(story.moments, 1) if "commit_table" in name)
    assert story.loads.run(load, "-v", "load", moment=landing)[0] == KILLED
    files = [*tmp_path.rglob("*"), *story.lake.folder.rglob("*")]
    contents = {path: path.read_bytes() for path in files if path.is_file()}
    assert [path for path in contents if ".testio" in path.parts]
    for secret in (PASSWORD, quote(PASSWORD, safe="")):
        assert [path for path, content in contents.items() if secret.encode() in content] == []
