"""Reads many tests per call; the batch size adapts to the speed and size of the answers."""

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
"""Seconds. Answers faster than `_QUICK` double the batch size, slower than `_SLOW` halve it."""
_LARGE = 1_000_000
"""Bytes. A larger answer halves the batch size: memory holds several copies of each answer."""
_PER_PAGE = 100
_MOST_PAGES = 1_000
"""Maximum pages per batch; memory holds all their records until the last page has arrived."""
_MAX_IN_FLIGHT = 3
"""Batches per endpoint. Few, so that each answer can adjust the size of the next batches."""


@dataclass(slots=True)
class BatchItem:
    """The ids to request for one test, and how many of them have been read."""

    scope: Scope
    ids: Sequence[tuple[int, int | None]]
    """The test's own id with None, or user story versions, each with the id of its user story."""
    done: int = 0

    @property
    def next_id(self) -> int:
        """The first id that has not been read."""
        return self.ids[self.done][0]


@dataclass
class BatchResult:
    """The result of reading one batch."""

    found: list[tuple[Scope, Record, dict[str, Any]]] = field(default_factory=list)
    answers: list[tuple[str, Any]] = field(default_factory=list)
    """Path and body for a recording, as if each id had been requested in its own call."""
    closed: list[Scope] = field(default_factory=list)
    again: list[BatchItem] = field(default_factory=list)
    """Tests with more ids to read."""
    parts: list[list[BatchItem]] = field(default_factory=list)
    """Smaller batches to read instead."""


class Batches:
    """The batches of one endpoint.

    A call has one id per test, so the test of a record shows which id the record belongs to.
    """

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
        """Number of tests that wait for a batch."""
        return len(self._waiting)

    def add(self, item: BatchItem) -> None:
        """Add a test to the queue."""
        self._waiting.append(item)

    def take(self, *, is_more_to_come: bool) -> list[BatchItem]:
        """Return the next batch to read; empty if it is better to wait for more tests."""
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
            # If two tests share an id, the answer does not show for which of them a record came.
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
        """Queue the tests of a batch that have more ids, and count its parts as in flight."""
        self._in_flight += len(result.parts) - 1
        self._waiting.extend(result.again)

    def calls(self, ids: int) -> int:
        """Return the minimum number of calls for this number of ids."""
        return -(-ids // self._api.max_batch)

    def first_path(self, id_: int) -> str:
        """Return the path of the first call for a single id."""
        path = self._path([id_])
        return self._page(path, 1) if self.endpoint.counts_records else path

    def _path(self, ids: list[int]) -> str:
        return self.endpoint.path.format(ids=self.endpoint.separator.join(map(str, ids)))

    def read(self, batch: list[BatchItem]) -> BatchResult:
        """Read the next id of each test; if the API cannot answer, return two halves to read."""
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
                # Only a call for a single test can show which test this record belongs to.
                return self._halved(batch)
            elif test_id is not None:
                others += 1
            elif self._is_first(value):
                given[first_scope.test_id].append(value)
        if others and self.endpoint.is_shared:  # calls for those tests return them, too
            first_scope.remark("other tests have the same user story version")
        elif others:
            first_scope.fail(f"the answer contains records of other tests ({others})")
        first_scope.mended_count += mended  # the answer does not show in which test
        for item in batch:
            of_test = given[item.scope.test_id]
            whole = values if others and self.endpoint.is_shared else of_test
            self._add_records(item, of_test, whole, claimed_count, result)
        return result

    def _add_records(
        self,
        item: BatchItem,
        values: list[Any],
        whole: list[Any],
        claimed_count: int | None,
        result: BatchResult,
    ) -> None:
        """Add one test's records to the result; `whole` is the answer for its id alone."""
        id_, story_id = item.ids[item.done]
        item.done += 1
        if any(
            (known := record_id(value)) is not None and item.scope.has(known) for value in values
        ):
            item.scope.fail("the API returned the same record for several ids of this test")
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
        """Return whether this record, which names no test, is seen for the first time."""
        id_ = record_id(stray)
        with self._lock:
            is_first = id_ is None or id_ not in self._strays
            self._strays.add(id_)
        return is_first

    def _halved(self, batch: list[BatchItem]) -> BatchResult:
        middle = len(batch) // 2
        return BatchResult(parts=[batch[:middle], batch[middle:]])

    def _values(self, path: str, batch: list[BatchItem]) -> tuple[list[Any], int | None, int]:
        """Return the records of all pages, their claimed count, and how many values were mended."""
        if not self.endpoint.counts_records:
            answer = self._get(path, batch)
            if len(answer.value) < (answer.claimed_count or 0):
                raise UnusableAnswerError(
                    f"{len(answer.value)} of {answer.claimed_count} records came"
                )
            return answer.value, None, answer.mended
        for _ in range(2):  # the list may change during the first read
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
                # Some answers count only their own page, or nothing: read on after a full page.
                is_full = len(answer.value) >= _PER_PAGE
                if is_last or (len(values) == claimed and not is_full):
                    break
                if page == _MOST_PAGES:
                    raise TooLargeError(f"no last page within {_MOST_PAGES:,} pages")
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
