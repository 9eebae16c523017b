"""Which tests are read again, and when; and in which order steps run."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from testio_loader.read.refresh_policy import EarlierLoads, RefreshPolicy
from testio_loader.read.schedule import Schedule

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def policy(
    ages: dict[int, float], *, since_last: float | None = 1.0, max_age: float = 7
) -> RefreshPolicy:
    """Tests by their age in days, and days since the last load."""
    known = EarlierLoads(
        read_at={test: NOW - age * DAY for test, age in ages.items()},
        last_load_at=None if since_last is None else NOW - since_last * DAY,
    )
    return RefreshPolicy(NOW, known, settling=30 * DAY, max_age=max_age * DAY)


def turn(policy: RefreshPolicy) -> list[int]:
    return [test_id for test_id in policy.known.read_at if policy.is_turn(test_id)]


def ended(days_ago: float) -> str:
    return (NOW - days_ago * DAY).isoformat()


@pytest.mark.parametrize(
    ("is_due", "test"),
    [
        (True, {"status": "running", "end_at": None}),
        (True, {"status": "locked", "end_at": ended(400)}),
        (True, {"status": "a status of the future", "end_at": ended(400)}),
        (True, {"status": None}),
        (True, {}),
        (True, {"status": "archived", "end_at": ended(29.9)}),
        (True, {"status": "cancelled", "end_at": ended(1)}),
        (True, {"status": "archived", "end_at": ended(-1)}),
        (True, {"status": "archived", "end_at": "2026-10-02T13:00:00+01:00"}),
        (True, {"status": "archived", "end_at": "9999-12-31T23:59:59-12:00"}),
        (False, {"status": "archived", "end_at": "2026-10-02T13:59:59+02:00"}),
        (False, {"status": "archived", "end_at": "2026-10-02T11:59:59"}),
        (False, {"status": "archived", "end_at": "0001-01-01T00:00:00+12:00"}),
        (False, {"status": "archived", "end_at": ended(30.1)}),
        (False, {"status": "cancelled", "end_at": ended(400)}),
        (False, {"status": "archived", "end_at": None}),
        (False, {"status": "archived", "end_at": "99999-01-01T00:00:00Z"}),
        (False, {"status": "archived", "end_at": {"at": "noon"}}),
        (False, {"status": "archived", "end_at": 17}),
    ],
)
def test_a_test_is_due_while_it_or_its_bugs_can_change(is_due: bool, test: dict[str, Any]) -> None:
    assert policy({1: 0.5}).is_due(1, test) is is_due


def test_a_test_that_was_never_read_completely_is_due() -> None:
    assert policy({}).is_due(1, {"status": "archived", "end_at": ended(400)})


def test_a_small_account_is_read_whole() -> None:
    ages = dict.fromkeys(range(200), 0.0)
    assert len(turn(policy(ages))) == 200


def test_what_was_just_read_is_not_read_again() -> None:
    ages = dict.fromkeys(range(300), 1.0)
    assert turn(policy(ages)) == []


def test_the_longest_unread_come_first() -> None:
    ages = {test: 2 + test / 100 for test in range(300)}
    oldest = turn(policy(ages))
    assert oldest == list(range(300))[-len(oldest) :]
    assert 300 / 7 < len(oldest) < 2 * 300 / 7


def test_what_would_grow_too_old_until_the_next_load_is_read_however_much_it_is() -> None:
    ages = dict.fromkeys(range(300), 5.6)
    assert len(turn(policy(ages))) == 300


@pytest.mark.parametrize("since_last", [None, 7.0, 30.0])
def test_without_a_load_for_long_all_that_has_aged_is_read(since_last: float | None) -> None:
    ages = dict.fromkeys(range(300), 3.0)
    assert len(turn(policy(ages, since_last=since_last))) == 300


def test_an_age_of_nothing_reads_everything() -> None:
    ages = dict.fromkeys(range(300), 0.1)
    assert len(turn(policy(ages, max_age=0))) == 300


def test_tests_that_were_read_at_the_same_time_take_turns() -> None:
    """Issue 15, row 25: whose turn it is shows when a test is met, not when all are known."""
    ages = dict.fromkeys(range(300), 2.0)
    assert 300 / 7 < len(turn(policy(ages))) < 2 * 300 / 7


def test_what_has_gone_takes_up_no_turn() -> None:
    """Issue 15, row 25: the ledger knows tests that no list has any more."""
    gone = dict.fromkeys(range(1000, 2000), 6.9)
    ages = {test: 2 + test / 100 for test in range(300)}
    both = policy(gone | ages)
    listed = {("tests", 1): str(list(ages))}
    both = replace(both, known=replace(both.known, listed=listed))
    assert [test for test in turn(both) if test < 1000] == turn(policy(ages))


def test_of_one_product_its_own_tests_take_turns() -> None:
    """Issue 15, row 25: a small product is read whole, as a small account is."""
    all_of_them = policy(dict.fromkeys(range(300), 1.0))
    listed = {("tests", 1): str(list(range(100))), ("tests", 2): str(list(range(100, 300)))}
    of_one = replace(
        all_of_them, known=replace(all_of_them.known, listed=listed), product_ids=frozenset({1})
    )
    assert set(turn(of_one)) >= set(range(100))
    assert turn(replace(of_one, product_ids=frozenset())) == []


@pytest.mark.parametrize("every", [0.25, 1.0, 2.0, 4.0])
def test_loads_at_any_rhythm_keep_everything_young(every: float) -> None:
    """A hundred days of loads, all tests settled; the first load read them at once."""
    read_at = dict.fromkeys(range(1000), NOW)
    now, last, counts = NOW, NOW, []
    for _ in range(int(100 / every)):
        now += every * DAY
        known = EarlierLoads(read_at=read_at, last_load_at=last)
        turns = turn(RefreshPolicy(now, known, settling=30 * DAY, max_age=7 * DAY))
        read_at |= dict.fromkeys(turns, now)
        assert now - min(read_at.values()) < 7 * DAY
        counts.append(len(turns))
        last = now
    settled = counts[len(counts) // 2 :]
    assert max(settled) <= min(1000, 2.5 * 1000 * every / 7) + 1


# The schedule


def test_the_most_urgent_step_runs_first_and_each_once() -> None:
    schedule: Schedule[None] = Schedule(1)
    ran: list[str] = []
    for urgency, name in ((2, "c"), (0, "a"), (1, "b"), (0, "a2")):
        schedule.add(urgency, lambda name=name: ran.append(name))
    assert list(schedule) == [None] * 4
    assert ran == ["a", "a2", "b", "c"]
    assert [schedule.unfinished(urgency) for urgency in range(3)] == [0, 0, 0]


def test_steps_can_open_up_others_while_they_are_read() -> None:
    schedule: Schedule[int] = Schedule(3)
    schedule.add(0, lambda: 5)
    found = []
    for number in schedule:
        found.append(number)
        for _ in range(2 if number else 0):
            schedule.add(0, lambda number=number: number - 1)
    assert sorted(found) == sorted(5 - level for level in range(6) for _ in range(2**level))


def test_no_more_steps_run_at_once_than_there_are_threads() -> None:
    schedule: Schedule[int] = Schedule(3)
    running, most, lock, gate = 0, 0, threading.Lock(), threading.Barrier(3)

    def step() -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        gate.wait(5)
        with lock:
            running -= 1
        return 1

    for _ in range(12):
        schedule.add(0, step)
    assert sum(schedule) == 12
    assert most == 3


def test_a_step_that_raises_ends_the_walk() -> None:
    schedule: Schedule[int] = Schedule(2)
    ran: list[int] = []
    schedule.add(0, lambda: 1 // 0)
    for number in range(100):
        schedule.add(1, lambda number=number: ran.append(number) or 0)
    with pytest.raises(ZeroDivisionError):
        list(schedule)
    assert len(ran) < 100
