"""A list of tests is read to its end, whatever its pages are like."""

import random
import re
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any

import pytest

from testio_loader.api.base import (
    ApiResponse,
    CallCost,
    CallError,
    NotFoundError,
    ReadingStoppedError,
    UnusableAnswerError,
)
from testio_loader.api.endpoints import TESTS
from testio_loader.read.pages import PagedList
from testio_loader.read.scope import Scope

Pages = Callable[[int, int], Any]


class Api:
    """Answers for one list, page by page."""

    max_batch = 1

    def __init__(self, pages: Pages) -> None:
        self.asked: list[tuple[int, int]] = []
        self._pages = pages

    def get(self, path: str, keys: Any, **_: Any) -> ApiResponse:
        page, per_page = map(int, re.findall("page=([0-9]+)", path))
        self.asked.append((page, per_page))
        if len(self.asked) > 500:
            pytest.fail("an endless loop")
        found = self._pages(page, per_page)
        if isinstance(found, CallError):
            found.cost = CallCost(1, 1)
            raise found
        values = [{"id": id_} if isinstance(id_, int) else id_ for id_ in found]
        return ApiResponse(values, CallCost(1, 1))

    def now(self) -> datetime:
        return datetime.now(UTC)

    def has(self, path: str) -> bool:
        return True


def read(pages: Pages) -> tuple[list[Any], Scope, Api]:
    api, scope = Api(pages), Scope(TESTS, 1, product_id=1)
    listing, found = PagedList(api, scope, "/list?"), []
    while not listing.is_done:
        records, _ = listing.step()
        found += [record.id for record in records]
    return found, scope, api


def cut(
    ids: list[Any],
    *,
    at_most: int = 100,
    broken: Collection[int] = (),
    why: type = UnusableAnswerError,
) -> Pages:
    """Give pages that are no longer than the API likes; one with a broken record fails."""

    def pages(page: int, per_page: int) -> Any:
        size = min(per_page, at_most)
        found = ids[(page - 1) * size : page * size]
        return why("HTTP 500") if not set(broken).isdisjoint(found) else found

    return pages


@pytest.mark.parametrize("count", [0, 1, 24, 25, 99, 100, 101, 200, 250])
@pytest.mark.parametrize("at_most", [7, 25, 40, 100])
def test_a_list_of_any_length_is_read_once(count: int, at_most: int) -> None:
    ids = list(range(count))
    found, scope, api = read(cut(ids, at_most=at_most))
    assert found == ids
    assert scope.outcome == "ok"
    assert len(api.asked) <= 2 * (count // at_most + 1)


@pytest.mark.parametrize("seed", range(60))
def test_broken_records_hide_no_others(seed: int) -> None:
    rng = random.Random(seed)
    ids = rng.sample(range(1000), rng.choice([3, 60, 130, 260]))
    broken = rng.sample(ids, rng.randint(1, min(9, len(ids))))
    if seed % 2:  # next to each other
        at = rng.randrange(len(ids))
        broken = ids[at : at + 5]
    found, scope, _ = read(cut(ids, at_most=rng.choice([25, 30, 40, 100]), broken=broken))
    assert sorted(found) == sorted(set(ids) - set(broken))
    assert scope.outcome.count("position") >= len(broken)


def test_the_positions_of_broken_records_are_told() -> None:
    _, scope, _ = read(cut(list(range(130)), broken=[2, 120]))
    assert scope.outcome == "position 3: HTTP 500; position 121: HTTP 500"


def test_a_list_of_which_nothing_can_be_read_is_given_up() -> None:
    found, scope, api = read(lambda page, per_page: UnusableAnswerError("HTTP 500"))
    assert found == []
    assert scope.outcome.endswith("the rest of the list was not read")
    assert len(api.asked) < 30


@pytest.mark.parametrize("failure", [ReadingStoppedError("HTTP 401"), CallError("HTTP 422")])
def test_what_is_refused_is_not_asked_for_in_parts(failure: CallError) -> None:
    found, scope, api = read(lambda page, per_page: failure if page == 2 else range(100))
    assert len(found) == 100
    assert scope.outcome == f"page 2: {failure}"
    assert len(api.asked) == 2


def test_an_end_while_parts_are_read_ends_the_list() -> None:
    def pages(page: int, per_page: int) -> Any:
        if per_page == 100 and page == 1:
            return range(100)
        return (
            UnusableAnswerError("HTTP 500") if per_page == 100 else ReadingStoppedError("HTTP 401")
        )

    found, scope, _ = read(pages)
    assert len(found) == 100
    assert "position 101: HTTP 401" in scope.outcome


@pytest.mark.parametrize("pages", [0, 1])
def test_a_page_that_is_not_found_is_no_end_of_the_list(pages: int) -> None:
    found, scope, _ = read(
        lambda page, per_page: range(100) if page <= pages else NotFoundError("HTTP 404")
    )
    assert len(found) == 100 * pages
    assert scope.outcome == f"page {pages + 1}: HTTP 404"


# Lists that are not what they seem


@pytest.mark.parametrize("last", [range(100, 200), [None], ["text", {}], [100, 101, None]])
def test_the_last_page_again_and_again_is_no_end(last: Any) -> None:
    found, scope, _ = read(lambda page, per_page: range(100) if page == 1 else last)
    assert found == [*range(100), *(id_ for id_ in last if isinstance(id_, int))]
    assert "4 pages without a new record" in scope.outcome


def test_known_pages_between_new_ones_do_not_end_a_list() -> None:
    """Records that are added meanwhile push a page of known ones before the new ones."""

    def pages(page: int, per_page: int) -> list[int]:
        block = page // 2
        return [*range(100 * block, 100 * block + 100)] if block < 8 else []

    found, scope, _ = read(pages)
    assert found == list(range(800))
    assert scope.outcome == "ok"


def test_a_short_last_page_again_is_the_end() -> None:
    found, scope, _ = read(lambda page, per_page: range(100) if page == 1 else [100, 101])
    assert found == list(range(102))
    assert scope.outcome == "ok"


def test_pages_that_overlap_give_each_record_once() -> None:
    ids = list(range(250))
    found, scope, _ = read(
        lambda page, per_page: ids[max(0, (page - 1) * per_page - 1) : page * per_page]
    )
    assert found == ids
    assert scope.outcome == "ok"


class Changing:
    """A list that is edited before certain calls."""

    def __init__(self, ids: list[int], edits: dict[int, Callable[[list[int]], object]]) -> None:
        self.ids = ids
        self._edits = edits
        self._calls = 0

    def __call__(self, page: int, per_page: int) -> Any:
        self._calls += 1
        self._edits.get(self._calls, lambda ids: None)(self.ids)
        return self.ids[(page - 1) * per_page : page * per_page]


@pytest.mark.parametrize("removed", range(1, 6))
@pytest.mark.parametrize("call", [2, 3, 4])
def test_records_that_move_up_a_page_are_not_missed(removed: int, call: int) -> None:
    changing = Changing(list(range(350)), {call: lambda ids: ids.__delitem__(slice(removed))})
    found, scope, _ = read(changing)
    assert sorted(found) == list(range(350))
    assert scope.outcome == "ok"
    assert "the list changed while reading" in scope.ledger_row(datetime.now(UTC))["remarks"]


@pytest.mark.parametrize("call", [2, 3, 4])
def test_records_that_move_down_a_page_are_met_once(call: int) -> None:
    def grow(ids: list[int]) -> None:
        ids[:0] = [1000, 1001, 1002]

    found, scope, _ = read(Changing(list(range(350)), {call: grow}))
    assert sorted(found) == [*range(350), 1000, 1001, 1002]
    assert scope.outcome == "ok"


def test_a_list_that_shrinks_while_it_is_read_again_is_not_missed() -> None:
    edits = {at: lambda ids: ids.__delitem__(0) for at in range(2, 8)}
    found, scope, _ = read(Changing(list(range(350)), edits))
    assert set(range(6, 350)) <= set(found)
    assert len(found) == len(set(found))
    assert scope.outcome == "ok"


def test_a_page_that_can_only_be_read_in_parts_is_looked_at_again_as_well() -> None:
    """A record can move into it unseen, like into any other."""
    ids, failed = list(range(300)), []

    def pages(page: int, per_page: int) -> Any:
        if (page, per_page) == (2, 100) and not failed:
            failed.append(page)
            return UnusableAnswerError("HTTP 500")
        if (page, per_page) == (3, 100) and len(ids) == 300:
            del ids[0]
        return ids[(page - 1) * per_page : page * per_page]

    found, scope, _ = read(pages)
    assert sorted(found) == list(range(300))
    assert scope.outcome == "ok"
