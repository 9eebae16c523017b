"""A clock that steps back by less than an hour hides nothing that is read afterwards."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from testio_loader import clock
from testio_loader.land import pipeline
from testio_loader.land.ledger import LedgerReader, ledger_of
from testio_loader.warehouses.duckdb_file import DuckDbFile
from testio_sandbox import Account

Load = Callable[..., pipeline.LoadReport]
Select = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def stepped_back(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """Load; then the clock steps back by half an hour."""
    load()
    monkeypatch.setattr(clock, "now", lambda: datetime.now(UTC) - timedelta(minutes=30))
    monkeypatch.setattr(
        "dlt.extract.storage.create_load_id", lambda: f"{clock.now().timestamp():.6f}"
    )


def ledger(warehouse: Path) -> LedgerReader:
    found = ledger_of(DuckDbFile(warehouse))
    assert found
    return found


@pytest.mark.usefixtures("stepped_back")
def test_the_version_that_was_read_last_is_the_newest(
    load: Load, select: Select, account: Account
) -> None:
    """Issue 15, row 24: staging takes the version of the latest `loaded_at`."""
    bug_id = select("select min(id) from testio_raw.bugs")[0][0]
    account.change("bugs", bug_id, title="Read after the step")
    load()
    newest = select(
        "select payload ->> 'title' from testio_raw.bugs "
        f"where id = {bug_id} order by loaded_at desc, content_hash desc limit 1"
    )
    assert newest == [("Read after the step",)]


@pytest.mark.usefixtures("stepped_back")
def test_the_read_that_came_last_is_the_latest(
    load: Load, select: Select, account: Account, warehouse: Path
) -> None:
    """Issue 15, row 24: a bug that is gone, and a scope that ends incomplete, after the step."""
    test_id, bug_id = select("select test_id, min(id) from testio_raw.bugs group by 1 limit 1")[0]
    account.remove("bugs", bug_id)
    account.add("bugs", None, parent=test_id)
    before = select("select max(read_at) from testio_raw.ledger")
    load()
    assert before < select(
        "select min(read_at) from testio_raw.ledger where _dlt_load_id in ("
        "  select load_id from testio_raw._dlt_loads order by inserted_at desc limit 1)"
    )
    assert ledger(warehouse).incomplete() == [
        f"customer 7, bugs of test {test_id}: 1 in quarantine without a key"
    ]


@pytest.mark.usefixtures("stepped_back")
def test_the_load_that_came_last_is_the_first_in_the_status(load: Load, warehouse: Path) -> None:
    """Issue 15, row 24: `status` lists the newest load first."""
    load(test_ids=ledger(warehouse).known(7).tests()[:1])
    with duckdb.connect(str(warehouse)) as connection:  # dlt has dated it by its own clock
        connection.execute(
            "update testio_raw._dlt_loads set inserted_at = inserted_at - interval 30 minutes"
            " where load_id = (select min(load_id) from testio_raw._dlt_loads)"
        )
    alone, whole = [load.scopes for load in ledger(warehouse).loads()]
    assert alone < whole


def test_a_clock_that_stands_still_gives_each_read_its_own_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Issue 15, row 24: times of a load never run behind what has landed."""
    moment = datetime(2026, 11, 1, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: moment)
    steady = clock.SteadyClock(after=moment + timedelta(minutes=5))
    first, second = steady.now(), steady.now()
    assert moment + timedelta(minutes=5) < first < second
    assert clock.SteadyClock().now() == moment
