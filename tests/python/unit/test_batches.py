"""What belongs to many tests is read in few calls, and told apart again."""

import re
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from testio_loader.api.base import (
    ApiResponse,
    CallCost,
    CallError,
    NotFoundError,
    ReadingStoppedError,
    RefusedError,
    TooSlowError,
    UnusableAnswerError,
)
from testio_loader.api.endpoints import BUGS, EXECUTIONS, Endpoint
from testio_loader.read import batches
from testio_loader.read.batches import Batches, BatchItem
from testio_loader.read.scope import Scope

Answers = Callable[[list[int]], Any]


class Api:
    max_batch = 200

    def __init__(
        self, answer: Answers, *, seconds: float = 0.1, claimed: int | None = None
    ) -> None:
        self.asked: list[list[int]] = []
        self._answer, self._seconds, self._claimed = answer, seconds, claimed

    def get(self, path: str, keys: Any, **_: Any) -> ApiResponse:
        ids = [int(id_) for id_ in re.findall("[0-9]+", path.partition("=")[2].partition("&p")[0])]
        self.asked.append(ids)
        if len(self.asked) > 1000:
            pytest.fail("an endless loop")
        found = self._answer(ids)
        if isinstance(found, CallError):
            found.cost = CallCost(1, 1)
            raise found
        return ApiResponse(list(found), CallCost(1, 1), 0, self._claimed, self._seconds)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def has(self, path: str) -> bool:
        return True


def bug(id_: int, test: int | None) -> dict[str, Any]:
    return {"id": id_, "test": {"id": test}} if test else {"id": id_}


def bugs_of(tests: Iterable[int]) -> list[dict[str, Any]]:
    return [bug(10 * test + place, test) for test in tests for place in range(2)]


def read(api: Api, tests: int, endpoint: Endpoint = BUGS) -> dict[int, tuple[str, list[Any]]]:
    """Return, by test, how its scope ended and what was found for it."""
    batches = Batches(api, endpoint)
    for test in range(1, tests + 1):
        batches.add(BatchItem(Scope(endpoint, 1, test_id=test), [(test, None)]))
    found: dict[int, tuple[str, list[Any]]] = {}
    rows: dict[int, list[Any]] = {}
    waiting: deque[list[BatchItem]] = deque()
    while (batch := batches.take(is_more_to_come=False)) or waiting:
        outcome = batches.read(batch or waiting.popleft())
        batches.done(outcome)
        waiting.extend(outcome.parts)
        for scope, record, _ in outcome.found:
            rows.setdefault(scope.test_id or 0, []).append(record.id)
        for scope in outcome.closed:
            assert scope.test_id not in found
            found[scope.test_id or 0] = scope.outcome, rows.get(scope.test_id or 0, [])
    assert len(found) == tests
    return found


SOUND = {test: ("ok", [10 * test, 10 * test + 1]) for test in range(1, 401)}


def sound(tests: int) -> dict[int, tuple[str, list[int]]]:
    return {test: SOUND[test] for test in range(1, tests + 1)}


def test_many_tests_take_few_calls() -> None:
    api = Api(bugs_of)
    assert read(api, 400) == sound(400)
    assert [len(ids) for ids in api.asked] == [10, 20, 40, 80, 160, 90]


def test_after_a_slow_answer_less_is_asked_for() -> None:
    api = Api(bugs_of, seconds=20)
    assert read(api, 19) == sound(19)
    assert [len(ids) for ids in api.asked] == [10, 5, 2, 1, 1]


@pytest.mark.parametrize("limit", [1, 3, 49])
def test_what_is_too_slow_is_halved_until_it_is_not(limit: int) -> None:
    api = Api(lambda ids: TooSlowError("HTTP 524") if len(ids) > limit else bugs_of(ids))
    assert read(api, 120) == sound(120)


@pytest.mark.parametrize(
    "failure", [UnusableAnswerError, NotFoundError, RefusedError, TooSlowError]
)
def test_one_test_that_fails_costs_no_other(failure: type[CallError]) -> None:
    api = Api(lambda ids: failure("HTTP ?") if 33 in ids else bugs_of(ids))
    expected = sound(60)
    expected[33] = ("HTTP ?", [])
    assert read(api, 60) == expected
    assert len(api.asked) < 20


def test_when_no_call_is_made_any_more_nothing_is_halved() -> None:
    api = Api(lambda ids: ReadingStoppedError("HTTP 401"))
    assert {outcome for outcome, _ in read(api, 5).values()} == {"HTTP 401"}
    assert len(api.asked) == 1


def test_records_that_name_no_test_are_found_by_asking_for_single_tests() -> None:
    api = Api(lambda ids: [*bugs_of(ids), *([bug(7777, None)] if 5 in ids else [])])
    expected = sound(20)
    expected[5] = ("ok", [50, 51, 7777])
    assert read(api, 20) == expected


# Executions: several ids a test, several pages a call


def test_pages_are_read_until_all_that_were_claimed_have_come() -> None:
    pages = [[{"id": n, "test_cycle": {"id": 1}} for n in part] for part in ([1, 2], [2, 3], [])]
    api = Api(lambda ids: pages[min(len(api.asked) - 1, 2)], claimed=3)
    assert read(api, 1, EXECUTIONS) == {1: ("ok", [1, 2, 3])}
    assert len(api.asked) == 2


def test_fewer_than_were_claimed_are_incomplete() -> None:
    api = Api(lambda ids: [{"id": 1, "test_cycle": {"id": 1}}], claimed=3)
    assert read(api, 1, EXECUTIONS) == {1: ("1 of 3 records came", [])}
    assert len(api.asked) == 4  # tried twice, each time until nothing new came


def test_the_same_page_of_records_without_ids_is_no_endless_loop() -> None:
    api = Api(lambda ids: [{"test_cycle": {"id": 1}}, None])
    assert read(api, 1, EXECUTIONS)[1][0] == "2 in quarantine without a key"
    assert len(api.asked) == 1


def test_a_user_story_version_that_is_not_found_has_no_executions() -> None:
    api = Api(lambda ids: NotFoundError("HTTP 404"))
    assert read(api, 1, EXECUTIONS)[1] == ("ok", [])


@pytest.mark.parametrize("count", [100, 1, 0])
def test_a_count_of_less_than_there_is_ends_no_list(count: int) -> None:
    """A count of the page, instead of all, had the rest pass for complete."""
    pages = [
        [{"id": 100 * page + n, "test_cycle": {"id": 1}} for n in range(100)] for page in (0, 1)
    ]
    api = Api(lambda ids: [*pages, []][min(len(api.asked) - 1, 2)], claimed=count)
    outcome, ids = read(api, 1, EXECUTIONS)[1]
    assert (outcome, len(ids)) == ("ok", 200)


def test_a_list_without_end_is_given_up() -> None:
    """Each page had new records, for hours, and all of them stood in memory."""
    api = Api(
        lambda ids: [
            {"id": 100 * len(api.asked) + n, "test_cycle": {"id": ids[0]}} for n in range(100)
        ]
    )
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(batches, "_MOST_PAGES", 3)
        found = read(api, 2, EXECUTIONS)
    assert found == {test: ("no last page within 3 pages", []) for test in (1, 2)}
    assert len(api.asked) == 3 + 3 + 3
