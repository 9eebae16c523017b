"""Details of a test, a call each, are read again if something of the test has changed."""

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest
import raw
from conftest import CUSTOMER_ID, load_undisturbed

from testio_loader import clock, testio
from testio_loader.customers import Customer
from testio_loader.land import pipeline
from testio_loader.warehouses.duckdb_file import DuckDbFile
from testio_sandbox import TOKEN, Account, Answer, Query, serve

_FINAL = ("archived", "cancelled")


class Served:
    """An account of more tests than are simply read whole; what it is asked, and what fails."""

    def __init__(self) -> None:
        self.account = Account(products=1, tests=205, bugs=300, today=date.today())  # noqa: DTZ011
        self.asked: list[tuple[str, Query]] = []
        self.testers: dict[int, int] = {}
        """By test, how many testers its details tell of, whatever else they tell."""
        self.comments: dict[int, str] = {}
        """By execution, its comment."""
        self.broken: set[str] = set()
        """Paths that end in an error."""

    def __call__(self, path: str, query: Query) -> Answer:
        self.asked.append((path, query))
        if path in self.broken:
            return Answer(500, {})
        answer = self.account(path, query)
        id_ = _number(path, "/exploratory_tests/")
        if id_ in self.testers:
            body = answer.json()
            body["exploratory_test"]["analytics"]["testers_count"] = self.testers[id_]
            return Answer(200, body)
        if path == "/user_story_version_executions" and answer.status == 200:
            body = answer.json()
            for execution in body["user_story_version_executions"]:
                if execution["id"] in self.comments:
                    execution["comment"] = self.comments[execution["id"]]
            return Answer(200, body)
        return answer

    def tests(self) -> list[dict[str, Any]]:
        (product,) = self.account("/products", {}).json()["products"]
        path = f"/products/{product['id']}/exploratory_tests"
        pages = (
            self.account(path, {"page": [str(page)], "per_page": ["100"]}) for page in range(1, 4)
        )
        return [test for page in pages for test in page.json()["exploratory_tests"]]

    def bugs(self, test_id: int) -> list[dict[str, Any]]:
        query = {"filter_test_cycle_ids": [str(test_id)]}
        found: list[dict[str, Any]] = self.account("/bugs", query).json()["bugs"]
        return found

    def executions(self) -> Iterator[dict[str, Any]]:
        page = 1
        while found := self._executions(page):
            yield from found
            page += 1

    def _executions(self, page: int) -> list[dict[str, Any]]:
        answer = self.account("/user_story_version_executions", {"page": [str(page)]})
        found: list[dict[str, Any]] = answer.json()["user_story_version_executions"]
        return found

    def open_tests(self) -> list[int]:
        """Tests that are read at each load, and have bugs."""
        return [t["id"] for t in self.tests() if t["status"] not in _FINAL and self.bugs(t["id"])]

    def change_bug(self, test_id: int) -> None:
        self.account.change("bugs", self.bugs(test_id)[0]["id"], title="another title")


def _number(path: str, before: str) -> int | None:
    return int(path.removeprefix(before)) if path.startswith(before) else None


def _details(asked: list[tuple[str, Query]]) -> list[int]:
    found = (_number(path, "/exploratory_tests/") for path, _ in asked)
    return sorted(id_ for id_ in found if id_ is not None)


class Loads:
    """Loads of an account, each some hours after the one before."""

    def __init__(self, served: Served, url: str, warehouse: Path) -> None:
        self.served = served
        self.warehouse = warehouse
        self.now = datetime.now(UTC)
        self.customer = Customer("acme", CUSTOMER_ID, TOKEN, url)

    def __call__(self, hours: float = 2, **selection: Any) -> list[int]:
        """Load, and return the tests whose details were asked for."""
        self.now += timedelta(hours=hours)
        self.served.asked.clear()
        chosen = pipeline.Selection(**selection)
        self.report = pipeline.load(DuckDbFile(self.warehouse), self.customer, chosen)
        return _details(self.served.asked)

    def testers(self, test_id: int) -> int:
        """Return how many testers the newest details of a test tell of."""
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            row = connection.execute(
                "select payload from testio_raw.test_details"
                " where id = ? and _dlt_valid_to is null",
                [test_id],
            ).fetchone()
        assert row
        count: int = json.loads(row[0])["analytics"]["testers_count"]
        return count


@pytest.fixture
def loads(warehouse: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loads]:
    """An account that was loaded once."""
    monkeypatch.setenv("RUNTIME__REQUEST_MAX_ATTEMPTS", "1")
    served = Served()
    with serve(served) as sandbox:
        loads = Loads(served, sandbox.url, warehouse)
        monkeypatch.setattr(clock, "now", lambda: loads.now)
        assert len(loads()) == 205
        yield loads


def test_only_details_of_tests_that_have_changed_cost_a_call(loads: Loads) -> None:
    assert loads() == []
    due = [endpoint for endpoint in loads.report.endpoints if endpoint.endpoint == "bugs"]
    assert due[0].scopes >= len(loads.served.open_tests())  # their bugs are read all the same
    by_bug, by_title, *others = loads.served.open_tests()
    loads.served.change_bug(by_bug)
    loads.served.account.change("tests", by_title, title="renamed")
    execution = next(e for e in loads.served.executions() if e["test_cycle"]["id"] in others)
    loads.served.comments[execution["id"]] = "another comment"
    by_execution = execution["test_cycle"]["id"]
    assert loads() == sorted({by_bug, by_title, by_execution})
    assert loads() == []


def test_a_bug_that_is_gone_has_the_details_read(loads: Loads) -> None:
    test_id = loads.served.open_tests()[0]
    loads.served.account.remove("bugs", loads.served.bugs(test_id)[0]["id"])
    assert loads() == [test_id]


def test_details_are_read_after_the_rest_of_their_test(loads: Loads) -> None:
    """Or they would lack what came between, and the next load would not notice."""
    loads(is_full=True)
    read: defaultdict[int, list[str]] = defaultdict(list)
    for path, query in loads.served.asked:
        for ids in query.get("filter_test_cycle_ids", []):
            for id_ in ids.split(","):
                read[int(id_)].append("bugs")
        if (number := _number(path, "/exploratory_tests/")) is not None:
            read[number].append("details")
    assert len(read) == 205
    assert all(kinds == ["bugs", "details"] for kinds in read.values())


def test_a_change_of_details_alone_is_seen_within_the_stated_age(loads: Loads) -> None:
    alone, with_bug, *_ = loads.served.open_tests()
    loads.served.testers |= {alone: 12_345, with_bug: 23_456}
    loads.served.change_bug(with_bug)
    assert loads(24) == [with_bug]
    assert loads.testers(with_bug) == 23_456
    assert loads.testers(alone) != 12_345
    for _ in range(5):
        loads(24)
    assert loads.testers(alone) == 12_345


@pytest.mark.parametrize("what", ["details", "bugs"])
def test_details_are_read_again_after_an_incomplete_read(what: str, loads: Loads) -> None:
    """Be they incomplete themselves, or what tells whether they can wait."""
    test_id = loads.served.open_tests()[0]
    loads.served.change_bug(test_id)
    path = f"/exploratory_tests/{test_id}" if what == "details" else "/bugs"
    loads.served.broken = {path}
    assert test_id in loads()
    assert loads.report.problems
    loads.served.broken = set()
    assert test_id in loads()
    assert not loads.report.problems
    assert loads() == []


@pytest.mark.parametrize("step", ["reading", "landing"])
def test_an_interrupted_load_loses_nothing(
    step: str, loads: Loads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    test_id = loads.served.open_tests()[0]
    loads.served.change_bug(test_id)
    loads.served.testers[test_id] = 12_345

    def die(*_: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        if step == "reading":
            dying.setattr("testio_loader.read.counts.Counts.put_off", die)
        else:
            dying.setattr(dlt.Pipeline, "load", die)
        with pytest.raises(BaseException):  # noqa: B017, PT011 - dlt may wrap it
            loads()
    # What had been read lands first, if it was read to the end: then it is known as well.
    assert loads() == ([test_id] if step == "reading" else [])
    assert loads.testers(test_id) == 12_345
    expected = load_undisturbed(loads.served, tmp_path / "undisturbed.duckdb").raw
    assert raw.read(loads.warehouse).current == expected.current


def test_who_asks_for_details_gets_them(loads: Loads, tmp_path: Path) -> None:
    assert len(loads(is_full=True)) == 205
    (product_id,) = {test["product"]["id"] for test in loads.served.tests()}
    tests = loads.served.open_tests()
    assert set(loads(product_ids=[product_id])) >= set(tests)
    assert loads(test_ids=tests[:1]) == tests[:1]
    test_case_test = next(t["id"] for t in loads.served.tests() if t["testing_type"] is None)
    for _ in range(2):
        loads(test_ids=[test_case_test])
        paths = [path for path, _ in loads.served.asked]
        assert f"/products/{product_id}/test_case_tests/{test_case_test}" in paths
    assert set(loads(record_to=str(tmp_path / "recording"))) >= set(tests)
    asked = loads(replay_from=str(tmp_path / "recording"))
    assert asked == []
    details = [e for e in loads.report.endpoints if e.endpoint == "test_details"]
    assert details[0].scopes >= len(tests)


def test_a_pipeline_of_ones_own_lets_details_wait(
    loads: Loads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bugs that were read without details do not count as read with them."""
    own = dlt.pipeline(
        "mine",
        destination=dlt.destinations.duckdb(str(loads.warehouse)),
        dataset_name="testio_raw",
        pipelines_dir=str(tmp_path / "pipelines"),
    )

    def run(*resources: str) -> list[int]:
        source = testio(TOKEN, CUSTOMER_ID, loads.customer.base_url)
        loads.now += timedelta(hours=2)
        loads.served.asked.clear()
        own.run(source.with_resources(*resources) if resources else source)
        return _details(loads.served.asked)

    assert run() == []
    test_id = loads.served.open_tests()[0]
    loads.served.change_bug(test_id)
    assert run("bugs") == []
    assert run() == [test_id]
    assert run() == []
