"""Reads what belongs to many tests in one call: as many as the API answers for quickly."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from testio_loader.api.base import (
    Api,
    ApiResponse,
    CallError,
    NotFoundError,
    RefusedError,
    TooLargeError,
    TooMuchError,
    UnusableAnswerError,
)
from testio_loader.api.endpoints import Endpoint
from testio_loader.api.values import nested_id, record_id
from testio_loader.read.records import Record
from testio_loader.read.scope import Scope

_FIRST_SIZE = 10
_QUICK, _SLOW = 3.0, 15.0
"""Seconds: after a quick answer more is asked for at once, after a slow one less."""
_LARGE = 1_000_000
"""Bytes that an answer may have: it stands in memory as a whole, several times over."""
_PER_PAGE = 100
_MOST_PAGES = 1_000
"""Pages of one answer; all its records are in memory until the last page has come."""
_MAX_IN_FLIGHT = 3
"""So that what one answer teaches about the size serves the next."""


@dataclass(slots=True)
class BatchItem:
    """What is to be asked for the sake of one test, and how much of it has been."""

    scope: Scope
    ids: Sequence[tuple[int, int | None]]
    """Of the test, or of user story versions, each then with the id of its user story."""
    done: int = 0

    @property
    def next_id(self) -> int:
        """The first that has not been asked for."""
        return self.ids[self.done][0]


@dataclass
class BatchResult:
    """What a batch brought."""

    found: list[tuple[Scope, Record, dict[str, Any]]] = field(default_factory=list)
    answers: list[tuple[str, Any]] = field(default_factory=list)
    """By path, as if each test had been asked for by itself."""
    closed: list[Scope] = field(default_factory=list)
    again: list[BatchItem] = field(default_factory=list)
    """Tests with more to item for."""
    parts: list[list[BatchItem]] = field(default_factory=list)
    """What to item for instead."""


class Batches:
    """The batches of one endpoint. A call names one id a test, so records can be told apart."""

    def __init__(self, api: Api, endpoint: Endpoint) -> None:
        self._api = api
        self.endpoint = endpoint
        self._waiting: deque[BatchItem] = deque()
        self._in_flight = 0
        self._strays: set[int | None] = set()
        self._lock = Lock()
        self._size = min(_FIRST_SIZE, api.max_batch)

    @property
    def waiting(self) -> int:
        """How many tests wait for a batch."""
        return len(self._waiting)

    def add(self, item: BatchItem) -> None:
        """Let a test wait for the next batch."""
        self._waiting.append(item)

    def take(self, *, is_more_to_come: bool) -> list[BatchItem]:
        """Return the next batch to read; none, if it is better to wait for more tests."""
        if self._in_flight >= _MAX_IN_FLIGHT:
            return []
        if len(self._waiting) < self._size and (is_more_to_come or self._in_flight):
            return []
        batch: list[BatchItem] = []
        passed_over: list[BatchItem] = []
        asked, named = set[int](), set[int]()
        while self._waiting and len(batch) < self._size:
            item = self._waiting.popleft()
            ids = {id_ for id_, _ in item.ids}
            # Of two tests that share an id, records could not be told apart by the id asked for.
            if item.next_id in named or not asked.isdisjoint(ids):
                passed_over.append(item)
                continue
            batch.append(item)
            asked.add(item.next_id)
            named |= ids
        self._waiting.extendleft(reversed(passed_over))
        self._in_flight += bool(batch)
        return batch

    def done(self, result: BatchResult) -> None:
        """Take back what a batch has left over."""
        self._in_flight += len(result.parts) - 1
        self._waiting.extend(result.again)

    def calls(self, ids: int) -> int:
        """Return the fewest calls that so many ids take."""
        return -(-ids // self._api.max_batch)

    def first_path(self, id_: int) -> str:
        """Return what is asked first for an id by itself."""
        path = self._path([id_])
        return self._page(path, 1) if self.endpoint.counts_records else path

    def _path(self, ids: list[int]) -> str:
        return self.endpoint.path.format(ids=self.endpoint.separator.join(map(str, ids)))

    def read(self, batch: list[BatchItem]) -> BatchResult:
        """Ask for the next id of each test; of half as many at once where that fails."""
        result = BatchResult()
        is_divisible = len(batch) > 1
        first_scope = batch[0].scope
        try:
            values, claimed_count, mended = self._values(
                self._path([item.next_id for item in batch]), batch
            )
        except CallError as failure:
            if isinstance(failure, TooMuchError):
                self._size = max(1, min(self._size, len(batch) // 2))
            if is_divisible and isinstance(
                failure, UnusableAnswerError | RefusedError | NotFoundError
            ):
                return self._halved(batch)
            if not isinstance(failure, NotFoundError) or not self.endpoint.can_be_missing:
                for item in batch:
                    item.scope.fail(failure)
                    result.closed.append(item.scope)
                return result
            first_scope.remark(str(failure))
            values, claimed_count, mended = [], None, 0
        given: dict[int | None, list[Any]] = {item.scope.test_id: [] for item in batch}
        others = 0
        for value in values:
            test_id = nested_id(value, self.endpoint.test_field)
            if test_id in given and test_id is not None:
                given[test_id].append(value)
            elif is_divisible:
                # Whose answer it belongs to is known only when that test is asked for alone.
                return self._halved(batch)
            elif test_id is not None:
                others += 1
            elif self._is_first(value):
                given[first_scope.test_id].append(value)
        if others and self.endpoint.is_shared:  # they come when their own test is asked for
            first_scope.remark("other tests have the same user story version")
        elif others:
            first_scope.fail(f"{others} of other tests came as well")
        first_scope.mended_count += mended  # in which test's records it was is not known
        for item in batch:
            of_test = given[item.scope.test_id]
            whole = values if others and self.endpoint.is_shared else of_test
            self._settle(item, of_test, whole, claimed_count, result)
        return result

    def _settle(
        self,
        item: BatchItem,
        values: list[Any],
        whole: list[Any],
        claimed_count: int | None,
        result: BatchResult,
    ) -> None:
        """Take the records of one test; `whole` is what a call for its id alone answers."""
        id_, story_id = item.ids[item.done]
        item.done += 1
        if any(
            (known := record_id(value)) is not None and item.scope.has(known) for value in values
        ):
            item.scope.fail("the same records came for several ids")
        columns = {"user_story_version_id": id_, "user_story_id": story_id}
        result.found += [(item.scope, record, columns) for record in item.scope.keyed(values)]
        body: dict[str, Any] = {self.endpoint.answer_keys[0]: whole}
        if claimed_count is not None:
            body["meta"] = {"record_count": len(whole)}
        result.answers.append((self.first_path(id_), body))
        if item.done < len(item.ids):
            result.again.append(item)
        else:
            result.closed.append(item.scope)

    def _is_first(self, stray: Any) -> bool:
        """Return whether a record that names no test has not come with another test's already."""
        id_ = record_id(stray)
        with self._lock:
            is_first = id_ is None or id_ not in self._strays
            self._strays.add(id_)
        return is_first

    def _halved(self, batch: list[BatchItem]) -> BatchResult:
        middle = len(batch) // 2
        return BatchResult(parts=[batch[:middle], batch[middle:]])

    def _values(self, path: str, batch: list[BatchItem]) -> tuple[list[Any], int | None, int]:
        """Return the records of all pages, how many it says there are, and how many were mended."""
        if not self.endpoint.counts_records:
            answer = self._get(path, batch)
            if len(answer.value) < (answer.claimed_count or 0):
                raise UnusableAnswerError(
                    f"{len(answer.value)} of {answer.claimed_count} records came"
                )
            return answer.value, None, answer.mended
        for _ in range(2):  # the list may have changed the first time
            values: list[Any] = []
            ids: set[int | None] = set()
            page, mended = 1, 0
            while True:
                answer = self._get(self._page(path, page), batch)
                fresh = [v for v in answer.value if (id_ := record_id(v)) is None or id_ not in ids]
                is_last = ids.issuperset({*map(record_id, fresh)} - {None})
                ids.update(map(record_id, fresh))
                values += fresh
                mended += answer.mended
                claimed = answer.claimed_count
                # Some answers count only their own page, or nothing: after a full page, item on.
                is_full = len(answer.value) >= _PER_PAGE
                if is_last or (len(values) == claimed and not is_full):
                    break
                if page == _MOST_PAGES:
                    raise TooLargeError(f"more than {_MOST_PAGES:,} pages, and no end of them")
                page += 1
            if claimed is None or len(values) >= claimed:
                return values, claimed, mended
        raise CallError(f"{len(values)} of {claimed} records came")

    def _page(self, path: str, page: int) -> str:
        return f"{path}&order=asc&page={page}&per_page={_PER_PAGE}"

    def _get(self, path: str, batch: list[BatchItem]) -> ApiResponse:
        first_scope = batch[0].scope
        try:
            answer = self._api.get(path, self.endpoint.answer_keys, is_divisible=len(batch) > 1)
        except CallError as failure:
            first_scope.add_cost(failure.cost)
            raise
        first_scope.add_cost(answer.cost)
        if answer.seconds > _SLOW or answer.size > _LARGE:
            self._size = max(1, min(self._size, len(batch) // 2))
        elif answer.seconds < _QUICK and answer.size < _LARGE // 2:
            self._size = min(self._api.max_batch, max(self._size, 2 * len(batch)))
        return answer
