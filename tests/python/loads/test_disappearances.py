"""A mass disappearance is not believed until somebody says that it is true."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from conftest import Dbt, Run

from testio_loader.api.endpoints import BUGS, FEATURES, PRODUCTS, TESTS
from testio_loader.land.ledger import ledger_of
from testio_loader.read.disappearances import Disappearances
from testio_loader.read.refresh_policy import EarlierLoads, IdLists
from testio_loader.read.scope import Scope
from testio_loader.warehouses.duckdb_file import DuckDbFile
from testio_sandbox import Account, Answer, Handler, Query

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 1, tzinfo=UTC)
Select = Callable[[str], list[tuple[Any, ...]]]
_INCOMPLETE = (
    "select endpoint, outcome, count(*) from testio_raw.ledger where not is_complete group by all"
    " order by all"
)


def emptied(handler: Handler, *endings: str) -> Handler:
    """Let the paths that end so answer with an empty list."""

    def answer(path: str, query: Query) -> Answer:
        found = handler(path, query)
        if found.status != 200 or not path.endswith(endings):
            return found
        return Answer(200, {name: [] for name in found.json() if name != "meta"})

    return answer


def all_but(account: Account, product_ids: set[int]) -> Handler:
    """Let these products vanish from the list of products."""

    def answer(path: str, query: Query) -> Answer:
        found = account(path, query)
        if path != "/products":
            return found
        products = [p for p in found.json()["products"] if p["id"] not in product_ids]
        return Answer(200, {"products": products})

    return answer


def product_ids(account: Account) -> list[int]:
    return [product["id"] for product in account("/products", {}).json()["products"]]


def status(warehouse: Path) -> list[str]:
    ledger = ledger_of(DuckDbFile(warehouse))
    assert ledger
    return ledger.incomplete()


def listed_tests(warehouse: Path) -> int:
    ledger = ledger_of(DuckDbFile(warehouse))
    assert ledger
    (customer,) = ledger.customers()
    return customer.tests


@pytest.mark.usefixtures("loaded")
def test_bugs_of_all_tests_are_not_gone_at_once(
    run: Run, account: Account, select: Select, warehouse: Path
) -> None:
    """Issue 15, row 12: every test's bugs answer `[]`, until they come back."""
    empty = emptied(account, "/bugs")
    for _ in range(2):
        done = run(empty)
        assert done.exit_code == 3
        assert "60 of 60 known bugs are missing" in done.stdout
        assert "--accept-deletions" in done.stderr
    scopes = select(_INCOMPLETE)
    assert {row[:2] for row in scopes} == {("bugs", "60 of 60 known bugs are missing")}
    assert "60 of 60 known bugs are missing" in str(status(warehouse))
    assert run(account).exit_code == 0
    assert status(warehouse) == []


@pytest.mark.usefixtures("loaded")
def test_they_are_gone_when_somebody_says_so(
    run: Run, account: Account, select: Select, warehouse: Path
) -> None:
    """Issue 15, row 12: `load --accept-deletions`; what was accepted stands in the ledger."""
    empty = emptied(account, "/bugs")
    assert run(empty).exit_code == 3
    done = run(empty, "--accept-deletions")
    assert done.exit_code == 0
    assert "60 of 60 known bugs are missing, as accepted" in done.stdout
    assert status(warehouse) == []
    assert run(empty).exit_code == 0


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize(("gone", "message"), [(3, "3 of 3"), (2, "2 of 3"), (1, "")])
def test_most_products_are_not_gone_at_once(
    run: Run, account: Account, warehouse: Path, gone: int, message: str
) -> None:
    """Issue 15, row 12: `/products` answers `[]`, or all products but one vanish."""
    ids = product_ids(account)
    # The last of them has no tests, so that nothing else vanishes with it.
    done = run(all_but(account, set(ids[-gone:])))
    if message:
        assert done.exit_code == 3
        assert f"products: {message} known products are missing" in done.stdout
    else:
        assert done.exit_code in (0, 3)
        assert "known products are missing" not in done.stdout


@pytest.mark.usefixtures("loaded")
def test_an_emptied_list_of_tests_does_not_take_their_bugs_along(
    run: Run, account: Account, warehouse: Path
) -> None:
    """Issue 15, row 12: twelve tests are few, but their bugs are many, and nobody asks for them."""
    done = run(emptied(account, "/exploratory_tests"))
    assert done.exit_code == 3
    assert "tests of product 101" in done.stdout
    assert "known bugs are missing" in done.stdout
    assert {row.partition(": ")[2] for row in status(warehouse)} == {
        "60 of 60 known bugs are missing"
    }
    assert run(emptied(account, "/exploratory_tests"), "--accept-deletions").exit_code == 0
    assert status(warehouse) == []


@pytest.mark.usefixtures("loaded")
def test_ordinary_deletions_go_through(run: Run, account: Account, select: Select) -> None:
    """Issue 15, row 12: a third of the bugs, a test, an environment."""
    bugs = [id_ for (id_,) in select("select id from testio_raw.bugs order by id limit 20")]
    for bug_id in bugs:
        account.remove("bugs", bug_id)
    done = run(account)
    assert done.exit_code == 0
    assert "known" not in done.stdout


@pytest.mark.usefixtures("loaded")
def test_an_interrupted_load_keeps_its_decision(
    run: Run, account: Account, select: Select, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 15, row 12: what was read lands later, and is as doubtful as it was."""
    with monkeypatch.context() as killed:
        killed.setattr("dlt.load.load.Load.run", lambda *_: 1 // 0)
        assert run(emptied(account, "/bugs")).exit_code == 1
    assert select(_INCOMPLETE) == []
    assert run(account).exit_code == 0
    assert {row[:2] for row in select(_INCOMPLETE)} == {("bugs", "60 of 60 known bugs are missing")}


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize("arguments", [[], ["--accept-deletions"]])
def test_a_dry_run_says_what_would_be_accepted(
    run: Run, account: Account, arguments: list[str]
) -> None:
    """Issue 15, row 12: `--dry-run` reads the lists of products and tests."""
    done = run(all_but(account, set(product_ids(account)[1:])), "--dry-run", *arguments)
    assert done.exit_code == (0 if arguments else 3)
    label = "noticed" if arguments else "incomplete"
    assert f"{label}: products: 2 of 3 known products are missing" in done.stdout


def test_details_of_tests_that_are_not_found_are_not_gone_at_once(
    run: Run, warehouse: Path
) -> None:
    """Issue 15, row 12: HTTP 404 for each test's details."""
    account = Account(products=2, tests=24, bugs=60)

    def without_details(path: str, query: Query) -> Answer:
        is_details = path.startswith("/exploratory_tests/")
        return Answer(404) if is_details else account(path, query)

    assert run(account).exit_code == 0
    done = run(without_details)
    assert done.exit_code == 3
    assert "24 of 24 known test details are missing" in done.stdout


@pytest.mark.usefixtures("loaded")
def test_marts_and_status_agree(
    run: Run, account: Account, dbt: Dbt, select: Select, warehouse: Path
) -> None:
    """Issue 15, row 12: what vanished products take along stays, or is gone, for both."""

    def present(
        models: str = "stg_ledger int_record_versions int_present_records",
    ) -> dict[str, int]:
        dbt("run", "--select", *models.split())
        sql = "select endpoint, count(*) from testio_intermediate.int_present_records group by 1"
        return dict(select(sql))

    before = present("+int_present_records")
    assert (before["products"], before["tests"], before["bugs"]) == (3, 12, 60)
    empty = emptied(account, "/products")
    assert run(empty).exit_code == 3
    assert present() == before
    assert listed_tests(warehouse) == 12
    assert run(empty, "--accept-deletions").exit_code == 0
    assert present() == {}
    assert listed_tests(warehouse) == 0


@pytest.mark.usefixtures("loaded")
def test_a_recording_keeps_its_decision(
    run: Run, account: Account, select: Select, warehouse: Path
) -> None:
    """Issue 15, row 12: what was not believed when it was recorded is not when it is replayed."""
    assert run(emptied(account, "/bugs"), "--record", "archive").exit_code == 3
    warehouse.unlink()
    done = run(account, "--replay", "archive")
    assert done.exit_code == 3
    assert "--accept-deletions" not in done.stderr
    assert {row[:2] for row in select(_INCOMPLETE)} == {
        ("bugs", "when recorded: 60 of 60 known bugs are missing")
    }


# The rule


def known(**lists: dict[int, list[int]]) -> EarlierLoads:
    """Products of a test's account: by endpoint, ids per product, or per test of bugs."""
    bugs = lists.pop("bugs", {})
    text = "".join(f"{test}{orjson.dumps(ids).decode()}" for test, ids in sorted(bugs.items()))
    return EarlierLoads(
        listed={
            (name, product): orjson.dumps(ids).decode()
            for name, of_products in lists.items()
            for product, ids in of_products.items()
        },
        of_tests={"bugs": IdLists(text)},
        products=frozenset(lists.get("tests", {})),
    )


def close(deletions: Disappearances, scope: Scope, *ids: int) -> None:
    list(scope.keyed([{"id": id_} for id_ in ids]))
    deletions.hold(scope, scope.ledger_row(NOW))


def bugs(test_id: int) -> Scope:
    return Scope(BUGS, 7, test_id=test_id)


def test_what_moved_is_not_missing() -> None:
    """Issue 15, row 12: a bug may move to another test, a feature to another product."""
    deletions = Disappearances(known(bugs={1: [*range(100, 130)]}))
    close(deletions, bugs(1))
    close(deletions, bugs(2), *range(100, 120))
    assert deletions.findings() == {}
    assert [row["is_complete"] for row in deletions.release()] == [True]


@pytest.mark.parametrize(
    ("count", "missing", "is_doubtful"),
    [(20, 11, True), (20, 10, False), (19, 19, False), (20, 20, True), (200, 101, True)],
)
def test_more_than_half_of_at_least_twenty(count: int, missing: int, is_doubtful: bool) -> None:
    """Issue 15, row 12: the bounds of the rule."""
    deletions = Disappearances(known(bugs={1: [*range(count)]}))
    close(deletions, bugs(1), *range(missing, count))
    expected = {"bugs": f"{missing} of {count} known bugs are missing"} if is_doubtful else {}
    assert deletions.findings() == expected


def test_only_scopes_that_were_read_completely_count() -> None:
    """Issue 15, row 12: what an incomplete scope lacks is not missing, what it has is seen."""
    deletions = Disappearances(known(bugs={1: [*range(100)], 2: [*range(200, 230)]}))
    incomplete = bugs(1)
    incomplete.fail("HTTP 500")
    close(deletions, incomplete, *range(200, 216))
    close(deletions, bugs(2))
    assert deletions.findings() == {}


def test_a_product_does_not_take_most_of_the_tests_along() -> None:
    """Issue 15, row 12: one of two products is not most of them, but it may have most tests."""
    earlier = known(tests={1: [*range(10, 40)], 2: [50]}, bugs={50: [*range(100)]})
    deletions = Disappearances(earlier)
    close(deletions, Scope(PRODUCTS, 7), 2)
    close(deletions, Scope(TESTS, 7, product_id=2), 50)
    assert deletions.findings() == {"products": "30 of 31 known tests are missing"}
    (row,) = deletions.release()
    assert (row["is_complete"], row["outcome"], row["ids"]) == (
        False,
        "30 of 31 known tests are missing",
        "[2]",
    )


def test_a_test_of_a_large_account_takes_its_own_bugs_along() -> None:
    """Issue 15, row 12: what counts is all that is known, though little of it is read again."""
    earlier = known(
        tests={1: [*range(10, 60)]},
        bugs={test: [*range(test * 100, test * 100 + 30)] for test in range(10, 60)},
    )
    deletions = Disappearances(earlier)
    close(deletions, Scope(TESTS, 7, product_id=1), *range(11, 60))
    close(deletions, bugs(11), *range(1100, 1130))
    assert deletions.findings() == {}


def test_a_feature_of_two_products_counts_once() -> None:
    """Issue 15, row 12: it is missing where no product has it any more."""
    earlier = known(features={1: [*range(30)], 2: [*range(30)], 3: [*range(30)]}, tests={1: []})
    deletions = Disappearances(earlier)
    for product_id in (1, 2):
        close(deletions, Scope(FEATURES, 7, product_id=product_id))
    close(deletions, Scope(FEATURES, 7, product_id=3), *range(30))
    assert deletions.findings() == {}


def test_lists_of_ids_are_found_by_test() -> None:
    """Issue 15, row 12: what a million bugs' ids take is their text."""
    lists = IdLists("3[31,32]12[121]900[9]")
    assert [lists.get(test) for test in (3, 12, 900)] == ["[31,32]", "[121]", "[9]"]
    assert [lists.get(test) for test in (1, 2, 4, 901)] == ["[]"] * 4
    assert IdLists().get(1) == "[]"
