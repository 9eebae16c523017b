"""`load --product` and `load --test` with several customers: who has it is asked, nobody else."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import configure, run

from testio_sandbox import Account, Answer, Handler, Query, serve

pytestmark = pytest.mark.slow

NAMES = ("acme", "beta")
Select = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def accounts() -> dict[str, Account]:
    return {
        name: Account(products=2, tests=6, bugs=12, customer=number)
        for number, name in enumerate(NAMES, 1)
    }


@pytest.fixture
def asked(
    monkeypatch: pytest.MonkeyPatch, accounts: dict[str, Account]
) -> Iterator[dict[str, list[str]]]:
    """The paths that each customer's API was asked for."""
    asked: dict[str, list[str]] = defaultdict(list)

    def of(name: str) -> Handler:
        def handle(path: str, query: Query) -> Answer:
            asked[name].append(path)
            return accounts[name](path, query)

        return handle

    with serve({f"token-of-{name}": of(name) for name in NAMES}) as sandbox:
        configure(monkeypatch, sandbox.url, {name: f"token-of-{name}" for name in NAMES})
        yield asked


def first_product(account: Account) -> int:
    return int(account("/products", {}).json()["products"][0]["id"])


def first_test(account: Account) -> int:
    path = f"/products/{first_product(account)}/exploratory_tests"
    query = {"page": ["1"], "per_page": ["1"]}
    return int(account(path, query).json()["exploratory_tests"][0]["id"])


def ledger(select: Select) -> list[tuple[Any, ...]]:
    return select(
        "select customer_id, bool_and(is_complete) from testio_raw.ledger group by all order by 1"
    )


@pytest.mark.parametrize("is_first", [True, False], ids=["first load", "later"])
def test_a_product_is_asked_of_who_has_it(
    is_first: bool,
    asked: dict[str, list[str]],
    accounts: dict[str, Account],
    select: Select,
) -> None:
    """Issue 15, row 20: the other customer is not left incomplete."""
    if not is_first:
        run("load")
        asked.clear()
    done = run("load", "--product", first_product(accounts["acme"]))
    assert "Customer beta has none of the selected ids" in done.stderr
    assert asked["beta"] == ["/products"]
    assert ledger(select) == [(1, True)] if is_first else [(1, True), (2, True)]
    assert "incomplete: nothing" in run("status").stdout
    assert (
        "Customer acme"
        in run("load", "--dry-run", "--product", first_product(accounts["acme"])).stdout
    )


def test_each_customer_reads_its_own_products(
    asked: dict[str, list[str]], accounts: dict[str, Account], select: Select
) -> None:
    """Issue 15, row 20."""
    products = [first_product(account) for account in accounts.values()]
    run("load", "--product", products[0], "--product", products[1])
    assert select("select distinct product_id from testio_raw.tests order by 1") == [
        (product,) for product in products
    ]


@pytest.mark.parametrize("is_first", [True, False], ids=["first load", "later"])
def test_what_nobody_has_is_an_error(
    is_first: bool,
    asked: dict[str, list[str]],
    accounts: dict[str, Account],
    select: Select,
) -> None:
    """Issue 15, row 20: nothing lands, and no scope is left incomplete."""
    before = []
    if not is_first:
        run("load")
        before = ledger(select)
    real = {"--product": first_product(accounts["acme"]), "--test": first_test(accounts["acme"])}
    for option, known in real.items():
        for ids in ([option, 77], [option, known, option, 77]):
            for customer in ([], ["--customer", "acme"]):
                done = run("load", *ids, *customer, status=1)
                assert done.stderr.count("\n") == 1
                assert f"{option[2:]} 77" in done.stderr
    if is_first:
        run("status", status=1)
    else:
        assert ledger(select) == before


def test_a_test_is_asked_of_who_has_it(
    asked: dict[str, list[str]], accounts: dict[str, Account], select: Select
) -> None:
    """Issue 15, row 20."""
    test_id = first_test(accounts["beta"])
    done = run("load", "--test", test_id)
    assert "Customer acme has none of the selected ids" in done.stderr
    assert asked["acme"] == [f"/exploratory_tests/{test_id}"]
    assert ledger(select) == [(2, True)]


def test_a_test_that_somebody_had_is_read_though_it_is_gone(
    asked: dict[str, list[str]], accounts: dict[str, Account], select: Select
) -> None:
    """Issue 15, row 20: that it is gone is worth to be known."""
    run("load")
    test_id = first_test(accounts["beta"])
    accounts["beta"].remove("tests", test_id)
    run("load", "--test", test_id)
    assert select(
        "select customer_id, ids from testio_raw.ledger"
        f" where endpoint = 'tests' and test_id = {test_id}"
    ) == [(2, "[]")]


def test_who_does_not_answer_is_asked_for_what_nobody_else_has(
    asked: dict[str, list[str]],
    accounts: dict[str, Account],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Issue 15, row 20."""
    monkeypatch.setenv("SOURCES__TESTIO__CUSTOMERS__BETA__API_TOKEN", "revoked")
    run("load", "--product", first_product(accounts["acme"]))
    done = run("load", "--product", first_product(accounts["beta"]), status=1)
    assert "customer beta: nothing could be read" in done.stderr


def test_a_replay_takes_a_product_from_who_has_it(
    asked: dict[str, list[str]], accounts: dict[str, Account], warehouse: Path, select: Select
) -> None:
    """Issue 15, row 20."""
    run("load", "--record", "archive")
    warehouse.unlink()
    run("load", "--replay", "archive", "--product", first_product(accounts["beta"]))
    assert ledger(select) == [(2, True)]
    warehouse.unlink()
    run("load", "--replay", "archive", "--test", first_test(accounts["beta"]))
    assert ledger(select) == [(2, True)]
    assert (
        "no customer has test 77"
        in run("load", "--replay", "archive", "--test", 77, status=1).stderr
    )
