"""`load --dry-run` where something fails."""

import json
from collections.abc import Iterator

import pytest
from commands import configure, run

from testio_sandbox import Account, Answer, Handler, Query, serve
from testio_sandbox.faults.common import product_of_list

NAMES = ("acme", "beta")
ACCOUNTS = {
    name: Account(products=2, tests=6, bugs=12, customer=number)
    for number, name in enumerate(NAMES, 1)
}


@pytest.fixture
def handlers(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Handler]]:
    """The handler of each customer, to be replaced."""
    handlers: dict[str, Handler] = dict(ACCOUNTS)

    def of(name: str) -> Handler:
        return lambda path, query: handlers[name](path, query)

    with serve({f"token-of-{name}": of(name) for name in NAMES}) as sandbox:
        configure(monkeypatch, sandbox.url, {name: f"token-of-{name}" for name in NAMES})
        yield handlers


def refused(path: str, query: Query) -> Answer:
    return Answer(401)


def listless(path: str, query: Query) -> Answer:
    """Refuse the lists of tests."""
    return Answer(403) if product_of_list(path) is not None else ACCOUNTS["beta"](path, query)


def test_one_that_fails_does_not_end_the_dry_run_of_the_other(handlers: dict[str, Handler]) -> None:
    """Issue 15, row 21: each customer by itself."""
    handlers["acme"] = refused
    done = run("load", "--dry-run", status=1)
    assert "Customer beta: nothing landed" in done.stdout
    assert "customer acme: nothing could be read" in done.stderr
    assert done.stderr.count("\n") == 1
    document = json.loads(run("load", "--dry-run", "--json", status=1).stdout)
    assert [plan["customer"] for plan in document["customers"]] == ["beta"]
    assert list(document["failures"]) == ["acme"]


def test_a_list_that_a_dry_run_cannot_read_is_named(handlers: dict[str, Handler]) -> None:
    """Issue 15, row 21: the dry run ends with 3, like the load."""
    handlers["beta"] = listless
    done = run("load", "--dry-run", status=3)
    (product, *_) = ACCOUNTS["beta"]("/products", {}).json()["products"]
    problem = f"tests of product {product['id']}: page 1: HTTP 403"
    assert f"incomplete: {problem}" in done.stdout
    assert "a load may find more to read" in done.stderr
    document = json.loads(run("load", "--dry-run", "--json", status=3).stdout)
    problems = {plan["customer"]: plan["problems"] for plan in document["customers"]}
    assert problems["acme"] == []
    assert problem in problems["beta"]
    assert document["failures"] == {}


def test_a_failure_outweighs_what_is_incomplete(handlers: dict[str, Handler]) -> None:
    """Issue 15, row 21."""
    handlers |= {"acme": refused, "beta": listless}
    done = run("load", "--dry-run", status=1)
    assert "incomplete: tests of product" in done.stdout


def test_a_section_without_an_id_is_named_by_a_dry_run(handlers: dict[str, Handler]) -> None:
    """Issue 15, rows 3 and 21."""

    def odd(path: str, query: Query) -> Answer:
        found = ACCOUNTS["beta"](path, query).json()
        if path == "/products":
            found["products"][0]["sections"] = [{"id": None}]
        return Answer(200, found)

    handlers["beta"] = odd
    done = run("load", "--dry-run", status=3)
    assert "section without an id" in done.stdout
