"""Loads on the days of a sandbox see what has changed from one day to the next."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from commands import run
from sandbox_reads import all_bugs

from testio_loader import clock
from testio_loader.commands.sandbox_days import play
from testio_sandbox import Account, serve

pytestmark = pytest.mark.slow

FIRST, LAST = date(2020, 10, 20), date(2020, 11, 1)
DAYS = (LAST - FIRST).days + 1

_STATUSES = """
select
    id,
    loaded_at,
    case when payload ->> 'auto_accepted' = 'true' then 'auto_accepted'
    else payload ->> 'status' end as status
from testio_raw.bugs
"""
Select = Callable[[str], list[tuple[Any, ...]]]


def account() -> Account:
    days = DAYS - 1
    return Account(products=3, tests=40, bugs=400, seed=3, today=LAST, days=days)


def served() -> Iterator[dict[int, str]]:
    """Yield the status of each bug, on each day."""
    again = account()
    for day in range(DAYS):
        if day:
            again.next_day()
        yield {
            int(bug["id"]): "auto_accepted" if bug.get("auto_accepted") else bug["status"]
            for bug in all_bugs(again)
        }


@pytest.fixture
def played(warehouse: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Play all days; return what is printed."""
    playing = account()
    with serve(playing) as sandbox:
        play(account=playing, url=sandbox.url, customer_id=1, days=DAYS, destination="duckdb")
    assert playing.today == LAST
    assert warehouse.exists()
    return capsys.readouterr().err


def test_each_day_lands_its_decisions_reversals_and_deletions(played: str, select: Select) -> None:
    days = list(served())
    seen: dict[int, dict[int, str]] = {day: {} for day in range(DAYS)}
    for id_, loaded_at, status in select(f"{_STATUSES} order by loaded_at"):
        for day in range((loaded_at.astimezone(UTC).date() - FIRST).days, DAYS):
            seen[day][id_] = status
    for day, expected in enumerate(days):
        assert {id_: seen[day][id_] for id_ in expected} == expected, day

    changes: Counter[tuple[str, str]] = Counter(
        (before[id_], after[id_])
        for before, after in pairwise(days)
        for id_ in before.keys() & after.keys()
    )
    reviewed = {("rejected", "accepted"), ("accepted", "rejected")}
    assert changes["forwarded", "accepted"] > 5
    assert changes["forwarded", "rejected"] > 0
    assert changes["forwarded", "auto_accepted"] > 0
    assert sum(changes[change] for change in reviewed) > 0

    ((present, last_read),) = select(
        "select list(distinct id), max(read_at) from ("
        "  select unnest(from_json(ids, '[\"BIGINT\"]')) as id, read_at from testio_raw.ledger"
        "  where endpoint = 'bugs' and is_complete"
        "  qualify dense_rank() over (partition by test_id order by read_at desc) = 1)"
    )
    assert set(present) == days[-1].keys()
    assert {id_ for day in days for id_ in day} - set(present), "a bug has been deleted"
    assert last_read.astimezone(UTC).date() == LAST
    assert played.count(" bugs read, ") == DAYS
    assert f"Day {DAYS} of {DAYS}, {LAST}: {len(days[-1])} bugs read" in played


def test_time_is_never_turned_forward() -> None:
    with (
        pytest.raises(ValueError, match="in the future"),
        clock.turned_back_to(datetime.now(UTC) + timedelta(minutes=1)),
    ):
        pass


def test_the_command_plays_days_up_to_today_and_then_runs_a_command(
    select: Select, capfd: pytest.CaptureFixture[str]
) -> None:
    begun = datetime.now(UTC)
    small = ("--products", "2", "--tests", "12", "--bugs", "60")
    program = "import os; print(os.environ['SOURCES__TESTIO__BASE_URL'])"
    done = run("sandbox", "--days", "2", *small, sys.executable, "-c", program)
    assert capfd.readouterr().out.startswith("http://127.0.0.1:")
    lines = done.stderr.splitlines()
    assert [line[:11] for line in lines[1:]] == ["Day 1 of 2,", "Day 2 of 2,"]

    # Reads have the time of their day, landings have their own.
    read = select("select distinct read_at from testio_raw.ledger order by 1")
    days = sorted({read_at.astimezone(UTC).date() for (read_at,) in read})
    assert days == [days[-1] - timedelta(days=1), days[-1]]
    assert days[-1] in (begun.date(), datetime.now(UTC).date())
    landed = select("select inserted_at from testio_raw._dlt_loads")
    assert len(landed) == 2
    assert all(begun < inserted_at < datetime.now(UTC) for (inserted_at,) in landed)
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=1), "the clock is right again"

    again = run("sandbox", "--days", "2", *small, status=1)
    assert "needs a warehouse without loads" in again.stderr
    assert "Traceback" not in again.stderr
    assert "days" in run("sandbox", "--days", "0", status=2).stderr
