"""Lists of tests whose pages fail, or which come without pages."""

from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
import raw
from conftest import Loaded, Run, load_undisturbed
from sandbox_reads import all_products
from test_listing import Api, Pages, cut, read

from testio_loader.api.base import CallError, UnusableAnswerError
from testio_sandbox import Account, Answer, Handler, Query
from testio_sandbox.faults.common import KEY, product_of_list, records_in


def trap(ids: list[Any], broken: Collection[int]) -> Pages:
    """Fail on every page that holds a certain record beside others."""
    pages = cut(ids, broken=broken)

    def alone(page: int, per_page: int) -> Any:
        return cut(ids)(page, per_page) if per_page == 1 else pages(page, per_page)

    return alone


@pytest.mark.parametrize("broken", [[0], [24], [26], [3, 4, 27], [60, 170]])
@pytest.mark.parametrize("count", [5, 25, 30, 130, 250])
def test_a_page_that_only_parts_can_be_had_of_is_complete(count: int, broken: list[int]) -> None:
    """Issue 15, row 22: the list is looked at again by parts as well."""
    ids = list(range(count))
    found, scope, _ = read(trap(ids, broken))
    assert found == ids
    assert scope.outcome == "ok"


@pytest.mark.parametrize("call", range(2, 24))
def test_a_list_that_shrinks_while_it_is_read_in_parts_hides_nothing(call: int) -> None:
    """Issue 15, row 22: a short last page that is read in parts is looked at again as well."""
    ids, calls = list(range(40)), Counter[str]()

    def pages(page: int, per_page: int) -> Any:
        calls["all"] += 1
        if calls["all"] == call:
            del ids[0]
        return trap(ids, [30])(page, per_page)

    found, scope, _ = read(pages)
    assert sorted(found) == list(range(40)) or (call == 2 and sorted(found) == list(range(1, 40)))
    assert scope.outcome == "ok"


def test_what_is_known_to_be_broken_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue 15, row 22: the first failure is retried, those that lead to parts are not."""
    last_tries: list[tuple[str, bool]] = []
    get = Api.get

    def noted(self: Api, path: str, keys: Any, *, is_last_try: bool = False, **_: Any) -> Any:
        try:
            return get(self, path, keys)
        except CallError:
            last_tries.append((path.partition("&")[2], is_last_try))
            raise

    monkeypatch.setattr(Api, "get", noted)
    found, scope, _ = read(cut(list(range(60)), broken=[2]))
    assert len(found) == 59
    assert scope.outcome == "position 3: HTTP 500"
    assert Counter(last_tries) == {
        ("page=1&per_page=100", False): 1,
        ("page=1&per_page=25", True): 2,
        ("page=1&per_page=5", True): 2,
        ("page=3&per_page=1", False): 1,
        ("page=3&per_page=1", True): 1,
    }


def test_two_products_in_the_trap_are_complete_at_every_load(
    run: Run, warehouse: Path, tmp_path: Path
) -> None:
    """Issue 15, row 22, as it was met: 300 tests, and two of ten products are in the trap."""
    account = Account(products=10, tests=300, bugs=60)
    expected = load_undisturbed(account, tmp_path / "undisturbed.duckdb").raw
    broken = {trapped(account, product["id"])[4]["id"] for product in all_products(account)[2:4]}

    def answer(path: str, query: Query) -> Answer:
        found = account(path, query)
        tests = records_in(found, KEY) if product_of_list(path) is not None else []
        is_trapped = len(tests) > 1 and not broken.isdisjoint(test["id"] for test in tests)
        return Answer(500) if is_trapped else found

    for _ in range(2):
        result = run(answer)
        assert result.exit_code == 0, result.output
    landed = raw.read(warehouse)
    assert raw.differences(landed, expected) == []
    assert landed.incomplete == {}


def trapped(account: Account, product_id: int) -> list[Any]:
    query = {"page": ["1"], "per_page": ["100"]}
    return records_in(account(f"/products/{product_id}/exploratory_tests", query), KEY)


# Lists without pages


@pytest.mark.parametrize("count", [1, 2, 24, 26, 60, 99, 100, 101, 149, 151, 260])
def test_a_whole_list_that_comes_as_every_page_is_complete(count: int) -> None:
    """Issue 15, row 23: `page` and `per_page` are ignored."""
    found, scope, api = read(lambda page, per_page: range(count))
    assert found == list(range(count))
    assert scope.outcome == "ok"
    assert len(api.asked) == (3 if 25 < count <= 100 else 2)


@pytest.mark.parametrize("size", [25, 150])
def test_a_page_of_a_size_that_the_api_uses_unasked_is_no_whole_list(size: int) -> None:
    """Issue 15, row 23: not proved."""
    _, scope, _ = read(lambda page, per_page: range(size))
    assert scope.outcome == "page 2: the API returned the first page again"


@pytest.mark.parametrize("at_most", [30, 40, 100])
def test_the_first_page_again_is_no_end(at_most: int) -> None:
    """Issue 15, row 23: only `page` is ignored, so there may be more."""
    found, scope, api = read(lambda page, per_page: range(min(per_page, at_most)))
    assert found == list(range(at_most))
    assert scope.outcome == "page 2: the API returned the first page again"
    assert len(api.asked) == 3


def test_an_answer_that_does_not_come_proves_nothing() -> None:
    """Issue 15, row 23: not proved."""
    found, scope, _ = read(
        lambda page, per_page: UnusableAnswerError("HTTP 500") if per_page == 25 else range(100)
    )
    assert found == list(range(100))
    assert scope.outcome == "page 2: the API returned the first page again"


def unpaged(handler: Handler) -> Handler:
    def answer(path: str, query: Query) -> Answer:
        if product_of_list(path) is not None:
            query = {**query, "page": ["1"], "per_page": ["1000"]}
        return handler(path, query)

    return answer


def test_an_account_without_pages_is_complete(
    account: Account, run: Run, warehouse: Path, undisturbed: Loaded
) -> None:
    """Issue 15, row 23."""
    result = run(unpaged(account))
    assert result.exit_code == 0, result.output
    landed = raw.read(warehouse)
    assert raw.differences(landed, undisturbed.raw) == []
    assert landed.incomplete == {}
