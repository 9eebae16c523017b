"""A load can be cut short at any moment: the next one completes, as if nothing had happened."""

import random
import re
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

import duckdb
import pytest
import raw
from commands import reader_of
from conftest import Loaded, Run, configured, load_undisturbed, small_account
from dlt.destinations.exceptions import DatabaseTransientException
from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient
from moments import KILLED, Loads, loads

from testio_sandbox import Account, Answer, Query, serve
from testio_sandbox.changes import a_day

pytestmark = pytest.mark.slow

KILLS, KILLS_BY_TIME = 12, 5


class Story(NamedTuple):
    """An account that has been loaded before and has changed since."""

    loads: Loads
    before: Loaded
    after: raw.Raw
    moments: list[str]
    """Of the load that lands the changes."""
    seconds: float
    """How long that load took."""

    def begin(self, folder: Path) -> Path:
        return Path(shutil.copy(self.before.path, folder / "warehouse.duckdb"))


def changed(account: Account) -> Account:
    a_day(account, 1)
    bug = account("/bugs", {}).json()["bugs"][0]
    account.add("bugs", {**bug, "title": "has the id of another one"})
    return account


@pytest.fixture(scope="module")
def story(undisturbed: Loaded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("story")
    account = changed(small_account())
    landed = Path(shutil.copy(undisturbed.path, folder / "landed.duckdb"))
    with serve(account) as sandbox, loads(configured(sandbox.url)) as running:
        started = time.monotonic()
        moments = running.moments(landed)
        seconds = time.monotonic() - started
        after = raw.read(landed)
        assert after.quarantine
        yield Story(running, undisturbed, after, moments, seconds)


def assert_completes(story: Story, warehouse: Path) -> None:
    halted = raw.read(warehouse)
    assert halted.current in (story.before.raw.current, story.after.current)
    assert story.loads.run(warehouse)[0] == 0
    landed = raw.read(warehouse)
    assert raw.differences(landed, story.after) == []
    assert landed.ledger == story.after.ledger
    assert landed.repeated == []


@pytest.mark.parametrize("kill", range(KILLS))
def test_a_load_that_is_killed_is_made_up_for(kill: int, story: Story, tmp_path: Path) -> None:
    warehouse = story.begin(tmp_path)
    share = len(story.moments) / KILLS
    moment = 1 + int(share * (kill + random.Random(kill).random()))
    assert story.loads.run(warehouse, moment=moment)[0] == KILLED
    if kill % 3 == 2:
        shutil.rmtree(tmp_path / ".testio")
    assert_completes(story, warehouse)


@pytest.mark.parametrize(
    "moment",
    [
        "os.mkdir .*/load/new",
        "shutil.rmtree .*/normalize/extracted/",
        "os.rename .*/load/normalized/[0-9a-f]+$",
    ],
)
def test_a_load_that_is_killed_where_dlt_must_not_be_is_made_up_for(
    moment: str, story: Story, tmp_path: Path
) -> None:
    warehouse = story.begin(tmp_path)
    names = enumerate(story.moments, 1)
    at = next(at for at, name in names if re.match(moment, name))
    assert story.loads.run(warehouse, moment=at)[0] == KILLED
    assert_completes(story, warehouse)


@pytest.mark.parametrize("kill", range(KILLS_BY_TIME))
def test_a_load_that_is_killed_at_any_time_is_made_up_for(
    kill: int, story: Story, tmp_path: Path
) -> None:
    warehouse = story.begin(tmp_path)
    seconds = story.seconds * (kill + random.Random(kill).random()) / KILLS_BY_TIME
    assert story.loads.run(warehouse, seconds=seconds)[0] in (KILLED, 0)
    assert_completes(story, warehouse)


def test_what_a_killed_load_has_read_is_not_lost(
    story: Story, undisturbed: Loaded, tmp_path: Path, run: Run
) -> None:
    """Though it is changed again before anybody loads it."""
    account = small_account()
    killed = story.begin(tmp_path)
    expected = Path(shutil.copy(undisturbed.path, tmp_path / "expected.duckdb"))
    a_day(account, 1)
    load_undisturbed(account, expected)
    landing = next(at for at, name in enumerate(story.moments, 1) if "started_jobs" in name)
    with serve(account) as sandbox, loads(configured(sandbox.url)) as running:
        assert running.run(killed, moment=landing + 100)[0] == KILLED
    a_day(account, 2)
    assert raw.differences(raw.read(killed), raw.read(expected)) != []
    result = run(account)
    assert result.exit_code == 0
    landed = load_undisturbed(account, expected).raw
    assert raw.differences(raw.read(killed), landed) == []


# No room


@pytest.mark.parametrize("room", [20_000, 60_000, 150_000], ids=["reading", "early", "late"])
def test_without_room_a_load_says_so_in_one_line_and_the_next_completes(
    room: int, story: Story, tmp_path: Path
) -> None:
    warehouse = story.begin(tmp_path)
    for _ in range(2):
        status, output = story.loads.run(warehouse, room=room)
        assert status == 1
        assert "too large" in output
        assert output.count("\n") == 1
    assert_completes(story, warehouse)


# Someone else has the file


def test_a_reader_that_holds_the_file_is_named(story: Story, tmp_path: Path) -> None:
    warehouse = story.begin(tmp_path)
    with reader_of(warehouse) as pid:
        status, output = story.loads.run(warehouse)
        assert status == 1
        assert f"PID {pid}" in output
        assert output.count("\n") == 1
    assert_completes(story, warehouse)


def test_a_reader_that_comes_while_a_load_reads_costs_nothing(
    story: Story, undisturbed: Loaded, tmp_path: Path, run: Run
) -> None:
    account = small_account()
    warehouse = story.begin(tmp_path)
    expected = Path(shutil.copy(undisturbed.path, tmp_path / "expected.duckdb"))
    a_day(account, 1)
    load_undisturbed(account, expected)
    with ExitStack() as readers:
        pids: list[int] = []

        def watched(path: str, query: Query) -> Answer:
            if path == "/bugs/reject_reasons":
                pids.append(readers.enter_context(reader_of(warehouse)))
            return account(path, query)

        result = run(watched)
        assert result.exit_code == 1
        assert "customer default: warehouse.duckdb is held open by" in result.stderr
        assert f"PID {pids[0]}" in result.stderr
        assert "the next load lands the data that was read" in result.stderr
        assert result.stderr.count("\n") == 1
    a_day(account, 2)
    assert run(account).exit_code == 0
    landed = load_undisturbed(account, expected).raw
    assert raw.differences(raw.read(warehouse), landed) == []


def test_the_second_of_two_loads_says_who_is_first_and_ends(
    story: Story, tmp_path: Path, run: Run
) -> None:
    account, is_first, goes_on = changed(small_account()), Event(), Event()
    warehouse = story.begin(tmp_path)

    def waiting(path: str, query: Query) -> Answer:
        is_first.set()
        goes_on.wait()
        return account(path, query)

    with (
        serve(waiting) as sandbox,
        loads(configured(sandbox.url)) as running,
        ThreadPoolExecutor(1) as pool,
    ):
        first = pool.submit(running.run, warehouse)
        assert is_first.wait(60)
        second = run(account)
        goes_on.set()
        assert first.result()[0] == 0
    assert second.exit_code == 1
    assert re.search(r"being loaded by process [0-9]+ on ", second.stderr)
    assert second.stderr.count("\n") == 1
    assert_completes(story, warehouse)


# The warehouse refuses a statement


def test_a_statement_that_fails_in_the_middle_of_a_merge_leaves_the_table_as_it_was(
    story: Story, tmp_path: Path
) -> None:
    warehouse = story.begin(tmp_path)
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create unique index one_version on testio_raw.bugs (customer_id, id)")
    for _ in range(2):
        status, output = story.loads.run(warehouse)
        assert status == 1
        assert "Constraint Error" in output.splitlines()[-1]
        halted = raw.read(warehouse)
        assert halted.current == story.before.raw.current
        assert halted.versions["bugs"] == story.before.raw.versions["bugs"]
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("drop index testio_raw.one_version")
    assert_completes(story, warehouse)


@pytest.mark.parametrize("statement", ["UPDATE", "INSERT"])
def test_a_statement_that_fails_once_is_tried_again(
    statement: str,
    story: Story,
    tmp_path: Path,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    warehouse, execute = story.begin(tmp_path), DuckDbSqlClient.execute_query
    failed: list[str] = []

    def failing(client: Any, query: str, *arguments: Any, **options: Any) -> Any:
        if query.lstrip().startswith(statement) and len(failed) < 2:
            failed.append(query)
            raise DatabaseTransientException(duckdb.IOException("no reply"))
        return execute(client, query, *arguments, **options)

    monkeypatch.setattr(DuckDbSqlClient, "execute_query", failing)
    assert run(changed(small_account())).exit_code == 0
    assert len(failed) == 2
    assert raw.differences(raw.read(warehouse), story.after) == []
