"""Products list the same records: which of them has them does not depend on chance."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import run_dbt
from conftest import CUSTOMER_ID

from testio_loader.customers import Customer
from testio_loader.land import pipeline
from testio_loader.warehouses.duckdb_file import DuckDbFile
from testio_sandbox import TOKEN, Answer, Query, serve

pytestmark = pytest.mark.slow

Select = Callable[[str], list[tuple[Any, ...]]]
_KINDS = ("features", "user_stories", "test_environments", "test_templates")
_SHARED = 50


class Shared:
    """Three products that list the same records, and one test; a product can list none."""

    def __init__(self) -> None:
        self.listing = {5, 6, 7}
        self.title = "as it was"
        self.order = [5, 6, 7]
        self.tests: dict[int, dict[str, Any]] = {}
        """How a product's list shows the test, where it does so in its own way."""

    def __call__(self, path: str, query: Query) -> Answer:
        record = {"id": _SHARED, "title": self.title}
        test = {"id": 1, "title": "Test", "status": "running", "features": []}
        pages = query.get("page", ["1"])
        products = [
            {"id": id_, "name": "P", "sections": [], "sections_with_default": [{"id": 9}]}
            for id_ in self.order
        ]
        _, *parts = path.split("/")
        match parts:
            case ["products"]:
                return Answer(200, {"products": products})
            case ["products", product, "exploratory_tests"]:
                listed = [test | self.tests.get(int(product), {})] if pages == ["1"] else []
                return Answer(200, {"exploratory_tests": listed})
            case ["products", product, kind]:
                listed = [record] if int(product) in self.listing else []
                return Answer(200, {kind: listed})
            case ["test_templates"]:
                listed = [record] if int(query["product_id"][0]) in self.listing else []
                return Answer(200, {"test_templates": listed})
            case ["exploratory_tests", _]:
                return Answer(200, {"exploratory_test": test})
            case ["bugs"]:
                return Answer(200, {"bugs": []})
            case ["bugs", "reject_reasons"]:
                return Answer(200, {"reject_reasons": []})
            case ["user_story_version_executions"]:
                return Answer(200, {"meta": {"record_count": 0}, parts[0]: []})
        return Answer(404, {})


@pytest.fixture
def shared() -> Shared:
    return Shared()


@pytest.fixture
def customer(shared: Shared) -> Iterator[Customer]:
    with serve(shared) as sandbox:
        yield Customer("acme", CUSTOMER_ID, TOKEN, sandbox.url)


@pytest.fixture
def load(warehouse: Path, customer: Customer) -> Callable[..., None]:
    def run(*products: int) -> None:
        selection = pipeline.Selection(product_ids=products)
        report = pipeline.load(DuckDbFile(warehouse), customer, selection)
        assert report.problems == []

    return run


def _versions(select: Select, *tables: str) -> list[tuple[Any, ...]]:
    counts = " union all ".join(
        f"select '{table}', count(*), count(*) filter (where _dlt_valid_to is null)"
        f" from testio_raw.{table}"
        for table in tables
    )
    return select(f"{counts} order by all")


def test_a_load_adds_no_version_of_what_has_not_changed(
    load: Callable[..., None], select: Select
) -> None:
    """Issue 15, row 7: a whole load does not, nor does one of some products."""
    load()
    tables = (*_KINDS, "tests", "test_details")
    before = _versions(select, *tables)
    for _ in range(4):
        load()
        assert _versions(select, *tables) == before
    before = _versions(select, *_KINDS)
    for products in ((6,), (), (5, 7), ()):
        load(*products)
        assert (products, _versions(select, *_KINDS)) == (products, before)


def test_a_test_that_lists_show_in_different_ways_lands_in_each(
    shared: Shared, warehouse: Path, customer: Customer, select: Select
) -> None:
    """Issue 15, row 7: the content decides which one is current, not the order of the lists."""
    shared.tests = {id_: {"title": f"Of {id_}", "product": {"id": 5}} for id_ in (5, 6, 7)}
    seen = []
    for order in ([5, 6, 7], [5, 6, 7], [7, 6, 5]):
        shared.order = order
        report = pipeline.load(DuckDbFile(warehouse), customer)
        assert report.problems == []
        assert "tests have different content in another" in " ".join(report.remarks)
        seen.append(
            select(
                "select json_extract_string(payload, '$.title') from testio_raw.tests order by all"
            )
        )
    assert seen == [[("Of 5",), ("Of 6",), ("Of 7",)]] * 3


def test_the_product_that_has_a_record_is_the_lowest_one_that_lists_it(
    load: Callable[..., None], shared: Shared, select: Select, warehouse: Path
) -> None:
    """Issue 15, row 7: whatever landed last; the others are named in an audit."""

    def products(*selected: int) -> tuple[set[Any], list[tuple[Any, ...]]]:
        load(*selected)
        run_dbt(warehouse, "run", "--select", "+audit_shared_records")
        shown = " union all ".join(
            f"select product_id, title from testio_staging.stg_{kind}" for kind in _KINDS
        )
        others = (
            "select product_id, list(endpoint order by endpoint)"
            " from testio_audit.audit_shared_records group by all order by all"
        )
        return set(select(shown)), select(others)

    kinds = sorted((*_KINDS, "sections", "tests"))
    assert products() == ({(5, "as it was")}, [(6, kinds), (7, kinds)])
    shared.title = "changed"
    assert products(7)[0] == {(5, "as it was")}
    shared.listing = {6, 7}
    kinds_of_6 = ["sections", "tests"]
    assert products() == ({(6, "changed")}, [(6, kinds_of_6), (7, kinds)])
    shared.listing = set()
    assert products()[0] == {(5, "as it was")}
