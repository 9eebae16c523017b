"""An incomplete scope that a later read has settled is in no report any more."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest
from commands import run as command
from conftest import Dbt, Run
from sandbox_reads import all_products, all_tests

from testio_loader.land.ledger import ledger_of
from testio_loader.land.settled_scopes import CompleteList, IncompleteScope, Lists, unsettled
from testio_loader.read.scope import describe
from testio_loader.warehouses.duckdb_file import DuckDbFile
from testio_sandbox import Account, Answer, Handler, Query

pytestmark = pytest.mark.slow

Select = Callable[[str], list[tuple[Any, ...]]]
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def at(day: int) -> datetime:
    return MONDAY + timedelta(days=day)


def listed(day: int, *ids: int) -> CompleteList:
    return CompleteList(frozenset(ids), at(day))


def is_settled(
    endpoint: str,
    product_id: int | None,
    test_id: int | None,
    *,
    products: CompleteList | None = None,
    tests: dict[int, CompleteList] | None = None,
    alone: CompleteList | None = None,
    home: int | None = None,
) -> bool:
    """Return whether a scope that was incomplete on day 5 is settled."""
    scope = IncompleteScope(endpoint, product_id, test_id, "HTTP 500", at(5))
    lists = Lists(products, tests or {}, {7: alone} if alone else {})
    return not unsettled([scope], lists, {7: home})


@pytest.mark.parametrize("endpoint", ["features", "tests", "test_environments"])
def test_scopes_of_a_product_go_with_it(endpoint: str) -> None:
    """Issue 15, row 19."""
    assert is_settled(endpoint, 3, None, products=listed(6, 1, 2))
    assert not is_settled(endpoint, 3, None, products=listed(6, 1, 2, 3))
    assert not is_settled(endpoint, 3, None, products=listed(4, 1, 2))
    assert not is_settled(endpoint, 3, None)
    assert not is_settled(endpoint, None, None, products=listed(6))


def test_a_test_that_was_read_alone_is_settled_by_a_list_that_has_it() -> None:
    """Issue 15, row 19."""
    lists = {1: listed(6, 7, 8), 2: listed(6, 9)}
    assert is_settled("tests", None, 7, products=listed(6, 1, 2), tests=lists, home=1)
    assert is_settled("tests", None, 7, products=listed(6, 1, 2), tests=lists)
    assert not is_settled("bugs", None, 7, products=listed(6, 1, 2), tests=lists, home=1)
    earlier = {1: listed(4, 7, 8)}
    assert not is_settled("tests", None, 7, products=listed(6, 1), tests=earlier, home=1)
    vanished = {1: listed(6, 7, 8)}
    assert not is_settled("tests", None, 7, products=listed(4, 2), tests=vanished)


@pytest.mark.parametrize("endpoint", ["tests", "test_details", "bugs", "executions"])
def test_scopes_of_a_test_go_with_it(endpoint: str) -> None:
    """Issue 15, row 19."""
    both = listed(6, 1, 2)
    without = {1: listed(6, 8), 2: listed(4, 9)}
    assert is_settled(endpoint, None, 7, products=both, tests=without, home=1)
    assert not is_settled(endpoint, None, 7, products=both, tests=without, home=2)
    assert not is_settled(endpoint, None, 7, products=both, tests=without)
    assert not is_settled(endpoint, None, 7, products=both, tests={1: listed(6, 8)})
    assert is_settled(endpoint, None, 7, products=both, tests={1: listed(6), 2: listed(7, 9)})
    assert is_settled(endpoint, None, 7, products=listed(6, 1), home=2)
    assert is_settled(endpoint, None, 7, alone=listed(6))
    again = {1: listed(7, 7)}
    assert not is_settled("bugs", None, 7, products=both, tests=again, alone=listed(6), home=1)
    moved = {1: listed(6, 7)}
    assert not is_settled("bugs", None, 7, products=listed(6, 1), tests=moved, home=2)


def reported(warehouse: Path, select: Select, dbt: Dbt) -> list[str]:
    """Return what is incomplete, in which `status` and the audit model must agree."""
    dbt("run", "-s", "+audit_incomplete_scopes")
    ledger = ledger_of(DuckDbFile(warehouse))
    assert ledger
    rows = select(
        "select customer_id, endpoint, outcome, count(*), min(product_id), min(test_id)"
        " from testio_audit.audit_incomplete_scopes group by all order by all"
    )
    lines = [f"customer {customer_id}, {describe(*row)}" for customer_id, *row in rows]
    assert ledger.incomplete() == lines
    return lines


def test_a_later_read_settles_what_could_not_be_read(
    account: Account, run: Run, loaded: Path, select: Select, dbt: Dbt
) -> None:
    """Issue 15, row 19, as it was met; `status` and the audit model agree."""
    first, second = all_products(account)[:2]
    of_first, of_second = (
        [test["id"] for test in all_tests(account) if test["product"]["id"] == product["id"]]
        for product in (first, second)
    )

    def failing(*parts: str) -> Handler:
        def answer(path: str, query: Query) -> Answer:
            text = f"{path}/ {query}"
            return Answer(403) if any(part in text for part in parts) else account(path, query)

        return answer

    fails = failing(f"/exploratory_tests/{of_first[0]}/")
    assert run(fails, "--test", str(of_first[0])).exit_code == 3
    assert f"customer 7, tests of test {of_first[0]}: HTTP 403" in command("status").stdout
    fails = failing(
        f"/products/{second['id']}/user_stories",
        f"/exploratory_tests/{of_second[0]}/",
        str(of_first[1]),
    )
    assert run(fails).exit_code == 3
    assert [line.partition(", ")[2].split()[0] for line in reported(loaded, select, dbt)] == [
        *("bugs", "test_details", "user_stories")
    ]
    account.remove("products", second["id"])
    account.remove("tests", of_first[1])
    assert run(account).exit_code == 0
    assert reported(loaded, select, dbt) == []
    assert "incomplete: nothing" in command("status").stdout


def draw_ledgers(warehouse: Path, select: Select) -> None:
    """Give many customers ledgers that are drawn at random."""
    rng = random.Random(19)
    ((load_id,),) = select("select load_id from testio_raw._dlt_loads")
    rows, tests = [], []
    for customer_id in range(100, 400):
        products, ids = range(1, rng.randint(2, 4)), range(1, rng.randint(2, 5))
        homes = {id_: rng.choice([*products, None]) for id_ in ids}
        tests += [(customer_id, id_, home) for id_, home in homes.items() if home is not None]
        for _ in range(rng.randint(2, 14)):
            endpoint = rng.choice(["products", "tests", "tests", "tests", "features", "bugs"])
            of_test = endpoint == "bugs" or (endpoint == "tests" and rng.random() < 0.3)
            product = None if of_test or endpoint == "products" else rng.choice(products)
            test = rng.choice(ids) if of_test else None
            among = products if endpoint == "products" else ids
            seen = sorted(rng.sample(among, rng.randint(0, len(among))))
            seen = [id_ for id_ in seen if endpoint != "tests" or not of_test or id_ == test]
            rows.append((
                customer_id, endpoint, product, test, rng.random() < 0.6,
                orjson.dumps(seen).decode(), at(rng.randint(0, 9)), load_id, f"reason {len(rows)}",
            ))  # fmt: skip
    with duckdb.connect(str(warehouse)) as connection:
        # A load reads a scope once.
        rows = list({(*row[:4], row[6]): row for row in rows}.values())
        connection.executemany(
            "insert into testio_raw.ledger (customer_id, endpoint, product_id, test_id,"
            " is_complete, ids, read_at, _dlt_load_id, outcome)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            rows,
        )
        connection.execute("create temp table drawn as select * from testio_raw.tests limit 1")
        for customer_id, id_, home in tests:
            connection.execute(
                "insert into testio_raw.tests by name select * replace ("
                " $1 as customer_id, $2 as id, $3 as product_id, $4 as record_key) from drawn",
                [customer_id, id_, home, f"{customer_id}-{id_}"],
            )


def test_status_and_the_audit_model_agree(loaded: Path, select: Select, dbt: Dbt) -> None:
    """Issue 15, row 19: on the ledgers of many customers."""
    draw_ledgers(loaded, select)
    lines = reported(loaded, select, dbt)
    ((latest,),) = select(
        "select count(*) from (select is_complete from testio_raw.ledger qualify row_number() over"
        " (partition by customer_id, endpoint, product_id, test_id order by read_at desc) = 1)"
        " where not is_complete"
    )
    assert 300 < len(lines) < latest - 50
