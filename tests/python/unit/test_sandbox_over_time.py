"""An account that is played day by day keeps to the API's rules and shows each kind of change."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import combinations, pairwise
from typing import Any

import pytest
from sandbox_reads import all_bugs, all_executions, all_tests, read, status

from testio_sandbox import Account

TEN_DAYS = timedelta(days=10)
DAYS = 30
QUOTED = ("attachments",)  # their signatures differ from read to read


def played(**arguments: Any) -> Iterator[Account]:
    """Yield an account on each of its days."""
    account = Account(**{"products": 6, "tests": 200, "bugs": 2000, "days": DAYS} | arguments)
    yield account
    for _ in range(DAYS):
        account.next_day()
        yield account


def own(records: list[Any]) -> dict[int, Any]:
    return {
        int(record["id"]): {name: record[name] for name in record if name not in QUOTED}
        for record in records
    }


def age(account: Account, bug: Any) -> timedelta:
    return account.now - datetime.fromisoformat(bug["reported_at"])


def verdict(bug: Any) -> str:
    return "auto_accepted" if bug.get("auto_accepted") else str(bug["status"])


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("size", [(3, 12, 60), (6, 60, 600), (2, 400, 900)])
def test_no_bug_is_open_past_its_tenth_day(seed: int, size: tuple[int, int, int]) -> None:
    account = Account(*size, seed=seed)
    bugs = [bug for bug in all_bugs(account) if bug["reported_at"]]
    open_ = [bug for bug in bugs if bug["status"] == "forwarded"]
    assert open_
    assert [bug["id"] for bug in open_ if age(account, bug) >= TEN_DAYS] == []
    by_system = [bug for bug in bugs if verdict(bug) == "auto_accepted"]
    assert by_system
    assert [bug["id"] for bug in by_system if age(account, bug) < TEN_DAYS] == []
    archived = {test["id"] for test in all_tests(account) if test["status"] == "archived"}
    assert [bug["id"] for bug in open_ if int(bug["test"]["id"]) in archived] == []


def test_verdicts_are_as_frequent_as_the_products_say() -> None:
    bugs = all_bugs(Account(tests=400, bugs=6000))
    decided = Counter(map(verdict, bugs))
    share = {status: count / decided.total() for status, count in decided.items()}
    assert 0.60 < share["accepted"] < 0.75
    assert 0.15 < share["rejected"] < 0.25
    assert 0.08 < share["auto_accepted"] < 0.15
    assert 0 < share["forwarded"] < 0.03
    by_severity = Counter((bug["severity"], verdict(bug)) for bug in bugs)
    for severity in ("low", "high", "critical", "visual"):
        count = sum(n for (found, _), n in by_severity.items() if found == severity)
        assert 0.12 < by_severity[severity, "rejected"] / count < 0.28, severity


def test_each_kind_of_change_occurs_within_thirty_days() -> None:
    changes: Counter[Any] = Counter()
    bugs: dict[int, Any] = {}
    tests: dict[int, Any] = {}
    for account in played(today=date(2026, 12, 1)):
        later, later_tests = own(all_bugs(account)), own(all_tests(account))
        if bugs:
            changes["deleted"] += len(bugs.keys() - later.keys())
            changes["reported"] += len(later.keys() - bugs.keys())
            changes["drafted"] += len(later_tests.keys() - tests.keys())
            assert not tests.keys() - later_tests.keys()
        for id_ in bugs.keys() & later.keys():
            before, after = bugs[id_], later[id_]
            differing = {name for name in before if before[name] != after.get(name)}
            assert differing <= {
                "status", "auto_accepted", "known", "comments", "exported_at", "external_idx",
            }  # fmt: skip
            assert after["comments"][: len(before["comments"])] == before["comments"]
            changes.update(differing)
            if "status" in differing:
                changes[verdict(before), verdict(after)] += 1
        for id_ in tests.keys() & later_tests.keys():
            differing = {n for n in tests[id_] if tests[id_][n] != later_tests[id_][n]}
            assert differing <= {"status", "reviews", "review_status"}
            if differing:
                changes[tests[id_]["status"], later_tests[id_]["status"]] += 1
        bugs, tests = later, later_tests
    assert changes["deleted"] >= 2
    assert changes["reported"] >= 100
    assert changes["comments"] >= 30
    assert changes["exported_at"] >= 10
    assert changes["drafted"] >= 5
    for change, at_least in {
        ("forwarded", "accepted"): 40,
        ("forwarded", "rejected"): 10,
        ("forwarded", "auto_accepted"): 5,
        ("rejected", "accepted"): 1,
        ("accepted", "rejected"): 1,
        ("accepted", "forwarded"): 1,
        ("waiting", "running"): 5,
        ("running", "locked"): 5,
        ("locked", "archived"): 5,
    }.items():
        assert changes[change] >= at_least, change
    assert "auto_accepted" not in {change[0] for change in changes}, "the system's verdict stays"


def test_no_day_has_anything_of_later_days() -> None:
    for account in played(products=3, tests=60, bugs=600):
        for bug in all_bugs(account):
            times = [bug["reported_at"], bug["exported_at"]]
            times += [comment["created_at"] for comment in bug["comments"]]
            assert all(datetime.fromisoformat(at) <= account.now for at in times if at), bug["id"]
            if bug["reported_at"] and bug["status"] == "forwarded":
                assert age(account, bug) < TEN_DAYS
        for test in all_tests(account):
            has_begun = test["start_at"] and datetime.fromisoformat(test["start_at"]) <= account.now
            bugs = read(account, "/bugs", filter_test_cycle_ids=test["id"])["bugs"]
            assert has_begun or not bugs
        for execution in all_executions(account):
            at = execution["executed_at"]
            assert at is None or datetime.fromisoformat(at) <= account.now
            assert at or execution["status"] == "pending"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_last_day_is_the_account_without_days(seed: int) -> None:
    *_, account = played(products=3, tests=60, bugs=600, seed=seed)
    plain = Account(products=3, tests=60, bugs=600, seed=seed)
    assert account.today == plain.today
    assert account.truth() == plain.truth()
    assert own(all_bugs(account)) == own(all_bugs(plain))
    assert all_tests(account)[0].keys() == all_tests(plain)[0].keys()
    assert all_executions(account) == all_executions(plain)
    with pytest.raises(ValueError, match="more days"):
        account.next_day()


def test_equal_accounts_have_equal_days() -> None:
    arguments = {"products": 3, "tests": 60, "bugs": 600, "days": 8}
    one, other = Account(**arguments), Account(**arguments)
    truths = [one.truth()]
    for _ in range(8):
        one.next_day()
        other.next_day()
        truths.append(one.truth())
        assert truths[-1] == other.truth()
        assert truths[-1] != truths[-2]


def test_truth_counts_what_a_day_serves() -> None:
    for account in played(products=3, tests=40, bugs=400):
        truth, bugs = account.truth(), all_bugs(account)
        assert truth.bugs == len({int(bug["id"]) for bug in bugs})
        assert truth.bugs_by_status == Counter(map(verdict, bugs))
        assert truth.tests == len(all_tests(account))


def test_what_comes_later_or_was_deleted_is_not_found() -> None:
    first, *_ = later = [set(own(all_tests(account))) for account in played(tests=60, bugs=600)]
    account = Account(tests=60, bugs=600, days=DAYS)
    assert {status(account, f"/exploratory_tests/{id_}") for id_ in first} == {200}
    assert {status(account, f"/exploratory_tests/{id_}") for id_ in later[-1] - first} == {404}
    bugs: set[int] = set()
    for account in played(tests=60, bugs=600):
        bugs |= own(all_bugs(account)).keys()
    (deleted, *_) = bugs - own(all_bugs(account)).keys()
    with pytest.raises(KeyError):
        account.change("bugs", deleted, title="too late")


def test_a_feature_that_fails_does_so_again_in_the_same_quarter_and_then_recovers() -> None:
    results: dict[Any, list[tuple[datetime, bool]]] = {}
    account = Account(products=2, tests=400, bugs=800, seed=2)
    for test in all_tests(account):
        details = read(account, f"/exploratory_tests/{test['id']}")["exploratory_test"]
        for feature in details["features"]:
            if feature["execution_status"] in ("passed", "failed") and feature.get("title"):
                at = datetime.fromisoformat(test["start_at"])
                is_failed = feature["execution_status"] == "failed"
                found = test["product"]["id"], feature["title"]
                results.setdefault(found, []).append((at, is_failed))
    others: dict[bool, Counter[bool]] = {True: Counter(), False: Counter()}
    changes: Counter[tuple[bool, bool]] = Counter()
    for found in results.values():
        found.sort()
        changes.update((one, next_) for (_, one), (_, next_) in pairwise(found))
        for (at, is_failed), (later, is_failed_later) in combinations(found, 2):
            if is_failed:
                others[_quarter(at) == _quarter(later)][is_failed_later] += 1
    same, other = (counts[True] / counts.total() for counts in (others[True], others[False]))
    assert same > other + 0.05
    assert min(changes[True, False], changes[False, True]) > 100, "recoveries and regressions"


def _quarter(at: datetime) -> tuple[int, int]:
    return at.year, (at.month - 1) // 3
