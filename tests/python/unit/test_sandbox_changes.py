"""A day in an account changes what a loader looks at again, and nothing else."""

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from sandbox_reads import all_bugs, all_features, all_products, all_tests, read, smallest

from testio_sandbox import Account
from testio_sandbox.changes import a_day

# The name of a product is quoted everywhere, and signatures differ from read to read.
QUOTED = ("product", "attachments")


def own(records: list[Any]) -> dict[int, Any]:
    return {
        int(record["id"]): {key: value for key, value in record.items() if key not in QUOTED}
        for record in records
    }


def changed(before: dict[int, Any], after: dict[int, Any]) -> dict[int, set[str]]:
    """The fields that differ, of records that were there before and after."""
    return {
        id_: fields
        for id_ in before.keys() & after.keys()
        if (fields := {key for key in before[id_] if before[id_][key] != after[id_].get(key)})
    }


def test_a_day_has_all_that_happens_in_one() -> None:
    account = Account(products=3, tests=40, bugs=400)
    product = all_products(account)[0]
    features, tests, bugs = (
        own(read_all(account)) for read_all in (all_features, all_tests, all_bugs)
    )
    by_test = Counter(bug["test"]["title"] for bug in bugs.values())

    a_day(account, 0)

    draft, begun, *_ = read(account, f"/products/{product['id']}/exploratory_tests")[
        "exploratory_tests"
    ]
    assert (draft["status"], draft["start_at"]) == ("initialized", None)
    assert (begun["status"], begun["start_at"] is None) == ("running", False)
    later_tests, later_bugs = own(all_tests(account)), own(all_bugs(account))
    assert later_tests.keys() - tests.keys() == {draft["id"], begun["id"]}
    assert tests.keys() <= later_tests.keys()
    moved = {
        (tests[id_]["status"], later_tests[id_]["status"]) for id_ in changed(tests, later_tests)
    }
    assert moved == {("running", "locked"), ("locked", "archived")}

    verdicts = {
        (
            tuple(bugs[id_].get(name) for name in ("status", "auto_accepted", "known")),
            tuple(later_bugs[id_].get(name) for name in ("status", "auto_accepted", "known")),
        )
        for id_ in changed(bugs, later_bugs)
    }
    moves = {(before[0], *after[:2]) for before, after in verdicts}
    assert ("forwarded", "accepted", True) in moves
    assert ("forwarded", "accepted", False) in moves
    assert {("forwarded", "rejected"), ("rejected", "forwarded")} <= {move[:2] for move in moves}
    assert any(after[2] is True and before[2] is not True for before, after in verdicts)
    assert len(later_bugs.keys() - bugs.keys()) == 3
    later_by_test = Counter(bug["test"]["title"] for bug in later_bugs.values())
    (emptied,) = by_test.keys() - later_by_test.keys()
    assert len(bugs.keys() - later_bugs.keys()) == by_test[emptied]

    later_features = own(all_features(account))
    assert len(features.keys() - later_features.keys()) == 1
    assert list(changed(features, later_features).values()) == [{"title"}]
    assert all_products(account)[0]["name"] == f"{product['name']} (0)"


def test_what_a_loader_no_longer_looks_at_stays_as_it_is() -> None:
    account = Account(products=3, tests=40, bugs=400)
    since = datetime.combine(account.today, time(), UTC) - timedelta(days=30)
    old = {
        test["id"]
        for test in all_tests(account)
        if test["status"] in ("archived", "cancelled")
        and datetime.fromisoformat(test["end_at"]) < since
    }
    assert 10 < len(old) < 40

    def all_old() -> list[Any]:
        bugs = [bug for bug in all_bugs(account) if int(bug["test"]["id"]) in old]
        tests = [test for test in all_tests(account) if test["id"] in old]
        return [own(bugs), own(tests)]

    before = all_old()
    for day in range(10):
        a_day(account, day)
    assert all_old() == before


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_equal_accounts_have_equal_days(seed: int) -> None:
    one, other = smallest(seed), smallest(seed)
    truths = [one.truth()]
    for day in range(8):
        a_day(one, day)
        a_day(other, day)
        truths.append(one.truth())
        assert truths[-1] == other.truth()
        assert truths[-1] != truths[-2]
    assert [own(all_bugs(one)), all_products(one)] == [own(all_bugs(other)), all_products(other)]
    assert truths[-1].tests == 12 + 2 * 8
    assert not truths[-1].unusable.total()
