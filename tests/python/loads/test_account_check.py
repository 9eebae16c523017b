"""An account is landed under the customer that it belongs to, or not at all."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from commands import configure, run

from testio_loader.api.canonical_json import canonical
from testio_loader.api.endpoints import PRODUCTS
from testio_loader.errors import AccountChangedError
from testio_loader.read import account_check
from testio_loader.read.records import Record
from testio_loader.read.refresh_policy import EarlierLoads
from testio_loader.read.scope import Scope
from testio_sandbox import Account, Answer, Handler, Query, serve

pytestmark = pytest.mark.slow

Select = Callable[[str], list[tuple[Any, ...]]]
TOKENS = {"acme": "token-of-acme", "beta": "token-of-beta"}
LANDED = "select customer_id, endpoint, ids from testio_raw.ledger order by all"


def account(number: int, *, customer: int | None = None) -> Account:
    own = number if customer is None else customer
    return Account(products=2, tests=6, bugs=24, seed=number, customer=own)


class Exchange:
    """Two accounts, whose tokens can be exchanged."""

    def __init__(self, accounts: dict[str, Handler]) -> None:
        self.accounts = accounts
        self.owners = dict(zip(accounts, accounts, strict=True))

    def exchange(self) -> None:
        self.owners = dict(zip(self.accounts, reversed(self.accounts), strict=True))

    def behind(self, name: str) -> Handler:
        return lambda path, query: self.accounts[self.owners[name]](path, query)


@pytest.fixture(params=["own ids", "the same ids"])
def exchange(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Exchange]:
    customer = 0 if request.param == "the same ids" else None
    exchange = Exchange(
        {name: account(number, customer=customer) for number, name in enumerate(TOKENS, 1)}
    )
    handlers = {token: exchange.behind(name) for name, token in TOKENS.items()}
    with serve(handlers) as sandbox:
        configure(monkeypatch, sandbox.url, TOKENS)
        yield exchange


def test_exchanged_tokens_are_refused_before_anything_lands(
    exchange: Exchange, select: Select
) -> None:
    """Issue 15, row 13: in `load`, in `load --test`, in a dry run and in `check`."""
    run("load")
    run("load")
    before = select(LANDED)
    exchange.exchange()
    for arguments in (["load"], ["load", "--dry-run"], ["check"]):
        done = run(*arguments, status=1)
        lines = [line for line in done.output.splitlines() if "two tokens swapped?" in line]
        text = " ".join(lines)
        assert "customer acme: " in text
        assert "which belong to customer_id 2: check whether its API token" in text
        assert "customer beta: " in text
        assert "which belong to customer_id 1: check whether its API token" in text
        assert "--accept-account-change" in text
    test_id = select("select min(id) from testio_raw.tests where customer_id = 1")[0][0]
    done = run("load", "--customer", "acme", "--test", test_id, status=1)
    assert "two tokens swapped?" in done.stderr
    assert select(LANDED) == before


def test_the_first_load_with_a_token_of_another_customer_is_refused(
    exchange: Exchange, select: Select
) -> None:
    """Issue 15, row 13: nothing is known of beta yet, but what comes is known of acme."""
    run("load", "--customer", "acme")
    exchange.exchange()
    done = run("load", "--customer", "beta", status=1)
    assert "for customer_id 2, which belong to customer_id 1" in done.stderr
    assert done.stderr.count("\n") == 1
    assert {row[0] for row in select(LANDED)} == {1}
    exchange.exchange()
    exchange.owners = {name: name for name in TOKENS}
    run("load")
    assert "token; 2 products" in run("check").stdout


def test_who_means_it_lands_another_account(exchange: Exchange, select: Select) -> None:
    """Issue 15, row 13: `--accept-account-change`; what is missing is a question of its own."""
    run("load", "--customer", "acme")
    exchange.accounts["acme"] = account(3)
    done = run("load", "--customer", "acme", status=1)
    assert "none of the 2 known products of customer_id 1 (" in done.stderr
    assert "which belong to" not in done.stderr
    done = run("load", "--customer", "acme", "--accept-account-change", status=3)
    assert "2 of 2 known products are missing" in done.stdout
    arguments = ("--accept-account-change", "--accept-deletions")
    run("load", "--customer", "acme", *arguments)
    run("load", "--customer", "acme")


def test_an_account_that_answers_nothing_is_not_another_one(
    exchange: Exchange, select: Select
) -> None:
    """Issue 15, row 13: an empty list of products tells nothing about whose it is."""
    run("load", "--customer", "acme")

    def empty(path: str, query: Query) -> Answer:
        found = account(1)(path, query)
        return Answer(200, {"products": []}) if path == "/products" else found

    exchange.accounts["acme"] = empty
    done = run("load", "--customer", "acme", status=3)
    assert "2 of 2 known products are missing" in done.stdout


@pytest.mark.parametrize("arguments", [["load"], ["check"]])
def test_one_token_for_two_customers_is_refused(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    """Issue 15, row 13: one of them would get the other's data."""
    monkeypatch.setenv("SOURCES__TESTIO__CUSTOMERS__BETA__API_TOKEN", TOKENS["acme"])
    done = run(*arguments, status=2 if arguments == ["load"] else 1)
    assert "acme and beta share one API token" in done.output
    assert TOKENS["acme"] not in done.output


# The rule


def record(id_: int, name: str) -> Record:
    payload = canonical({"id": id_, "name": name})
    return Record(id_, {"id": id_, "name": name}, payload, payload)


def known(own: dict[int, str], other: dict[int, str]) -> EarlierLoads:
    scope = Scope(PRODUCTS, 1)
    accounts = {
        customer_id: {
            id_: scope.version(record(id_, name), customer_id) for id_, name in of.items()
        }
        for customer_id, of in ((1, own), (2, other))
    }
    return EarlierLoads(products=frozenset(own), accounts=accounts)


@pytest.mark.parametrize(
    ("own", "other", "found", "is_refused"),
    [
        ({}, {}, {1: "shop"}, False),
        ({}, {1: "shop"}, {1: "shop"}, True),
        ({}, {1: "shop"}, {1: "another shop"}, False),
        ({}, {1: "shop", 2: "app"}, {1: "shop", 2: "renamed", 3: "new"}, False),
        ({}, {1: "shop", 2: "app", 3: "api"}, {1: "shop", 2: "app", 3: "renamed"}, True),
        ({1: "shop"}, {1: "shop"}, {1: "shop"}, False),
        ({1: "shop", 2: "app"}, {1: "shop"}, {1: "shop", 2: "renamed"}, False),
        ({1: "shop"}, {1: "bank"}, {1: "bank"}, True),
        ({1: "shop"}, {}, {2: "bank"}, True),
        ({1: "shop"}, {}, {1: "renamed", 2: "bank"}, False),
        ({1: "shop"}, {2: "bank"}, {1: "shop", 2: "bank"}, False),
        ({1: "shop"}, {2: "bank"}, {}, False),
    ],
)
def test_what_is_taken_for_another_account(
    own: dict[int, str], other: dict[int, str], found: dict[int, str], is_refused: bool
) -> None:
    """Issue 15, row 13: two customers may share ids, and even a product of the same content."""
    arguments = 1, Scope(PRODUCTS, 1), [record(*item) for item in found.items()]
    if is_refused:
        with pytest.raises(AccountChangedError, match="--accept-account-change"):
            account_check.check(*arguments, known(own, other))
    else:
        account_check.check(*arguments, known(own, other))
