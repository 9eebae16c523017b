"""Reads a list page by page, even if it changes meanwhile or contains broken records."""

from typing import Any

from testio_loader.api.base import (
    Api,
    ApiResponse,
    CallError,
    ReadingStoppedError,
    UnusableAnswerError,
)
from testio_loader.api.values import record_id
from testio_loader.read.records import Record
from testio_loader.read.scope import Scope

_PER_PAGE = 100
_PER_PAGE_BY_DEFAULT = 25
"""The API's default page size. The API never limits pages to fewer records."""
_MOST_WITHOUT_PAGE = 150
"""Maximum number of records that the API returns if it does not see `page`."""
_MAX_BROKEN = 10
"""After this number of broken records, the rest of a list is not read."""

_MAX_PAGES_WITHOUT_NEW = 3


class PagedList:
    """A list that is being read; each step reads one page.

    The API gives no totals, so the list ends with an empty page, or a short one without new
    records. If a record is removed meanwhile,
    later records move up, and one may be missed on a page that was already read. All full pages
    are therefore read again at the end, from the last to the first. If a record is added, others
    move down to the next page and are seen twice.

    One broken record makes every page with it fail. Such a page is read in parts, both times.
    After the first one, pages that can be read in parts are not retried first.
    """

    def __init__(self, api: Api, scope: Scope, path: str) -> None:
        self.scope = scope
        self.is_done = False
        self._api = api
        self._path = path
        self._next = 1
        self._per_page = _PER_PAGE
        self._size = _PER_PAGE
        """Records per page; the API may return fewer than requested."""
        self._first_page: list[int | None] = []
        self._full_pages: list[int] = []
        self._broken: set[int] = set()
        """Positions of the records that cannot be read."""
        self._is_retried = True
        """Whether a failed call is retried before the page is read in parts."""
        self._is_given_up = False
        self._pages_without_new = 0
        self._is_ended = False
        self._answers: list[tuple[str, Any]] = []

    def path(self, page: int, per_page: int) -> str:
        """Return the path of a page."""
        return f"{self._path}&page={page}&per_page={per_page}"

    def step(self) -> tuple[list[Record], list[tuple[str, Any]]]:
        """Read one page; return its new records, and each answer with its path."""
        self._answers = []
        records = self._reread() if self._is_ended else self._read_next()
        return records, self._answers

    def _read_next(self) -> list[Record]:
        page, self._next = self._next, self._next + 1
        try:
            values = self._page(page)
        except UnusableAnswerError as failure:
            self._is_retried = False
            if page == 1 and self._per_page > _PER_PAGE_BY_DEFAULT:
                # Parts need known positions: only pages of the default size are never shortened.
                self._next, self._per_page = page, _PER_PAGE_BY_DEFAULT
                self._size = _PER_PAGE_BY_DEFAULT
                return []
            values = self._parts(page, self._size, failure)
            if self._is_given_up:
                self.scope.fail("the rest of the list was not read")
                return self._end(self._keyed(values))
            if not values and not self.scope.has_failed:
                return self._end([], reread=True)
            if values:
                self._full_pages.append(page)  # the list can change between its parts
            return self._keyed(values)
        except CallError as failure:
            self.scope.fail(failure, f"page {page}")
            return self._end([])
        ids = [*map(record_id, values)]
        if page == 1:
            self._first_page = ids
            self._size = min(len(ids), self._per_page) or self._per_page
        elif ids and ids == self._first_page:
            if page > 2 or not self._is_whole_list(ids):
                self.scope.fail("the API returned the first page again", f"page {page}")
            return self._end([])
        elif page == 2 and ids and self._first_page and not self._full_pages:
            self._full_pages.append(1)  # it was full: the API shortens pages
        if all(id_ is None or self.scope.has(id_) for id_ in ids):
            self._pages_without_new += 1
            if self._pages_without_new > _MAX_PAGES_WITHOUT_NEW:
                count = self._pages_without_new
                self.scope.fail(f"stopped after {count} pages without a new record", f"page {page}")
                return self._end([])
            if len(ids) < self._size and None not in ids:
                return self._end([], reread=True)
        else:
            self._pages_without_new = 0
        if len(ids) >= (self._per_page if page == 1 else self._size):
            self._full_pages.append(page)
        return self._keyed(values)

    def _is_whole_list(self, ids: list[int | None]) -> bool:
        """Return whether a first page that the API returned again is the whole list.

        It is if the API ignores both `page` and `per_page`. That is certain if the page has fewer
        than 25 records or more than requested, or is the same for another `per_page`. It is not if
        the page has 25 or 150 records: the API returns these if it sees no parameters.
        """
        if len(ids) in (_PER_PAGE_BY_DEFAULT, _MOST_WITHOUT_PAGE):
            return False
        if len(ids) < _PER_PAGE_BY_DEFAULT or len(ids) > self._per_page:
            return True
        try:
            return [*map(record_id, self._get(1, _PER_PAGE_BY_DEFAULT).value)] == ids
        except CallError:
            return False

    def _page(self, page: int) -> list[Any]:
        values: list[Any] = self._get(page, self._per_page, is_last_try=not self._is_retried).value
        return values

    def _parts(self, page: int, size: int, failure: CallError) -> list[Any]:
        """Return the readable records of a failed page, read in parts down to single records."""
        if size == 1:
            self._broken.add(page)
            self._is_given_up |= len(self._broken) >= _MAX_BROKEN
            self.scope.fail(failure, f"position {page}")
            return []
        smaller = next(part for part in range(size // 2, 0, -1) if size % part == 0)
        parts = size // smaller
        order = range((page - 1) * parts + 1, page * parts + 1)
        values: list[Any] = []
        for part in reversed(order) if self._is_ended else order:
            if self._is_given_up:
                break
            is_last_try = smaller > 1 or part in self._broken
            try:
                values += self._get(part, smaller, is_last_try=is_last_try).value
            except ReadingStoppedError as stop:
                self._is_given_up = True
                self.scope.fail(stop, f"position {(part - 1) * smaller + 1}")
            except CallError as again:
                values += self._parts(part, smaller, again)
        return values

    def _reread(self) -> list[Record]:
        page = self._full_pages.pop()
        self.is_done = not self._full_pages
        try:
            values = self._page(page)
        except UnusableAnswerError as failure:
            values = self._parts(page, self._size, failure)
        except CallError as failure:
            self.scope.fail(failure, f"page {page}, read again")
            return []
        unseen = [
            value
            for value in values
            if (id_ := record_id(value)) is not None and not self.scope.has(id_)
        ]
        if unseen:
            self.scope.remark(f"the list changed while reading: {len(unseen)} more on page {page}")
        return self._keyed(unseen)

    def _end(self, records: list[Record], *, reread: bool = False) -> list[Record]:
        self._is_ended = True
        self.is_done = not (reread and self._full_pages)
        return records

    def _keyed(self, values: list[Any]) -> list[Record]:
        return list(self.scope.keyed(values))

    def _get(self, page: int, per_page: int, *, is_last_try: bool = False) -> ApiResponse:
        path = self.path(page, per_page)
        endpoint = self.scope.endpoint
        try:
            answer = self._api.get(path, endpoint.answer_keys, is_last_try=is_last_try)
        except CallError as failure:
            self.scope.add_cost(failure.cost)
            raise
        self._answers.append((path, {endpoint.answer_keys[0]: self.scope.take(answer)}))
        return answer
