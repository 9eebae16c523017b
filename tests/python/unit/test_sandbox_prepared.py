"""What was asked for last is kept, within limits and never longer than it is true."""

from sandbox_reads import all_executions, all_products, all_tests, read, versions

from testio_sandbox import Account
from testio_sandbox.prepared import Prepared


def test_what_is_kept_is_not_made_again() -> None:
    kept, made = Prepared(128), []
    for _ in range(3):
        assert kept.record(("a",), lambda: made.append(1) or {"a": [None]}) == {"a": [None]}
    assert made == [1]


def test_what_was_not_asked_for_lately_is_dropped() -> None:
    kept = Prepared(25)
    for key in ("a", "b", "a", "c"):
        kept.record((key,), lambda: "ten bytes")
    assert [kept.record((key,), lambda: "new") for key in ("a", "b")] == ["ten bytes", "new"]


def test_what_an_edit_overtakes_is_not_kept() -> None:
    kept = Prepared(128)

    def slow() -> str:
        kept.forget()
        return "old"

    assert kept.record(("a",), slow) == "old"
    assert kept.record(("a",), lambda: "new") == "new"


def test_an_edit_shows_in_what_was_read_before(account: Account) -> None:
    test = next(t for t in all_tests(account) if account.truth().bugs_by_test[t["id"]])
    path, found = f"/exploratory_tests/{test['id']}", []
    for title in ("One", "Two"):
        account.change("tests", test["id"], title=title)
        bugs = read(account, "/bugs", filter_test_cycle_ids=test["id"])["bugs"]
        listed = next(t for t in all_tests(account) if t["id"] == test["id"])
        details = read(account, path, includes__="user_stories")["exploratory_test"]
        found.append((bugs[0]["test"]["title"], listed["title"], details["title"]))
    assert found == [("One",) * 3, ("Two",) * 3]


def test_a_large_account_answers() -> None:
    account = Account(products=50, tests=10_000, bugs=1_000_000)
    path = f"/products/{all_products(account)[3]['id']}/exploratory_tests"
    tests = read(account, path, page=2)["exploratory_tests"]
    ids = ",".join(str(test["id"]) for test in tests[:5])
    assert len(read(account, "/bugs", filter_test_cycle_ids=ids)["bugs"]) > 100
    some = [version for *_, version in versions(account, page=2)][:200]
    for _ in range(20):
        assert len(all_executions(account, user_story_version_ids=some)) > 100
