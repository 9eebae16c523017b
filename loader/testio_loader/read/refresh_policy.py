"""Decides which tests are read again, with their details, bugs and executions.

The API does not report changes. A test can change until it is final, and its bugs can change for a
settling time after its end. These tests are read by every load. All others take turns, the oldest
data first, so that with regular loads no data in the warehouse grows older than a maximum age.

Details cost one call per test. If nothing else of a test has changed since its details were last
read, they wait for the test's turn.
"""

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from math import ceil, inf
from typing import Any

import orjson

from testio_loader.api.endpoints import PRODUCTS, TESTS

_FINAL = frozenset({"archived", "cancelled"})
_SMALL_ACCOUNT = 200
"""Up to this number of tests, a load reads all of them."""
_SLACK = 1.5
"""The next load is expected within this many times the time since the last one."""
_FRESH = 0.25
"""Up to this share of the maximum age, settled tests are not read again."""


class IdLists:
    """A list of ids (or other values) per test, in little more memory than their text takes.

    Args:
        text: each test's id and its list, sorted by test id: `12[101,102]17[103]`.
    """

    def __init__(self, text: str = "") -> None:
        self._text = text
        self._tests, self._starts = array("q"), array("q")
        for found in re.finditer(r"([0-9]+)\[[^]]*]", text):
            self._tests.append(int(found[1]))
            self._starts.append(found.end(1))

    def get(self, test_id: int) -> str:
        """Return the list of a test as JSON."""
        place = bisect_left(self._tests, test_id)
        if place == len(self._tests) or self._tests[place] != test_id:
            return "[]"
        start = self._starts[place]
        return self._text[start : self._text.index("]", start) + 1]


@dataclass(frozen=True)
class EarlierLoads:
    """What earlier loads have read, according to the ledger."""

    read_at: Mapping[int, datetime] = field(default_factory=dict)
    """Per test: when its oldest data were read. Only tests whose latest reads are all complete."""
    listed: Mapping[tuple[str, int], str] = field(default_factory=dict)
    """Per endpoint and product: the ids of the last complete read, as JSON."""
    of_tests: Mapping[str, IdLists] = field(default_factory=dict)
    """Per endpoint and test: the ids of the last complete read; not of endpoints without ids."""
    products: frozenset[int] = frozenset()
    """The products of the last complete list, and of incomplete lists since then."""
    accounts: Mapping[int, Mapping[int, str]] = field(default_factory=dict)
    """Per customer in the warehouse, this one included: each product's newest content hash."""
    last_load_at: datetime | None = None
    last_at: datetime | None = None
    """When the latest load last read or landed data; every new read must be later."""
    test_hashes: Mapping[str, IdLists] = field(default_factory=dict)
    """Per endpoint that is read last: as `[hash]`, the hash of each test's other data when this
    endpoint was last read for it, if that read was complete."""

    def has(self, endpoint: str) -> bool:
        """Return whether any record of an endpoint is known."""
        if endpoint == PRODUCTS.name:
            return bool(self.products)
        return endpoint in self.of_tests or any(name == endpoint for name, _ in self.listed)

    def ids(
        self, endpoint: str, product_id: int | None = None, test_id: int | None = None
    ) -> list[int]:
        """Return the ids of the last complete read of a scope; empty if not known."""
        if endpoint == PRODUCTS.name:
            return sorted(self.products)
        if endpoint == TESTS.name and test_id is not None:
            return [test_id] if test_id in self._tests else []
        if test_id is None:
            return read_ids(self.listed.get((endpoint, product_id or 0), "[]"))
        lists = self.of_tests.get(endpoint)
        return read_ids(lists.get(test_id)) if lists else []

    def has_test_hash(self, endpoint: str, test_id: int, test_hash: str) -> bool:
        """Return whether a test's other data are unchanged since its details were last read."""
        hashes = self.test_hashes.get(endpoint)
        return hashes is not None and hashes.get(test_id) == f"[{test_hash}]"

    def all_ids(
        self, endpoint: str, *, product_ids: Iterable[int] = (), test_ids: Iterable[int] = ()
    ) -> Iterator[int]:
        """Yield the ids of the scopes of several products or tests."""
        for product_id in product_ids:
            yield from self.ids(endpoint, product_id)
        for test_id in test_ids:
            yield from self.ids(endpoint, test_id=test_id)

    def tests(self) -> list[int]:
        """Return the ids of the tests in the known lists of all products."""
        return self.tests_of(product_id for _, product_id in self.listed)

    def tests_of(self, product_ids: Iterable[int]) -> list[int]:
        """Return the ids of the tests in the known lists of these products."""
        wanted = frozenset(product_ids)
        return [
            test_id
            for endpoint, product_id in self.listed
            if endpoint == TESTS.name and product_id in wanted
            for test_id in self.ids(endpoint, product_id)
        ]

    @cached_property
    def _tests(self) -> frozenset[int]:
        return frozenset(self.tests())


@dataclass(frozen=True)
class RefreshPolicy:
    """Decides for each test in a list whether to read its data, by their age in the warehouse."""

    now: datetime
    known: EarlierLoads
    settling: timedelta
    """Time after its end in which every load reads a test."""
    max_age: timedelta
    """Maximum age of the data in the warehouse."""
    product_ids: frozenset[int] = frozenset()
    """The selected products; empty if all are read."""

    def is_to_be_read(self, test_id: int, test: Mapping[str, Any]) -> bool:
        """Return whether this load reads the data of a test."""
        return self.is_due(test_id, test) or self.is_turn(test_id)

    def is_due(self, test_id: int, test: Mapping[str, Any]) -> bool:
        """Return whether a test must be read regardless of the age of its data."""
        if test_id not in self.known.read_at or not is_final(test):
            return True
        end_at = _moment(test.get("end_at"))
        return end_at is not None and end_at >= self.now - self.settling

    def can_wait(self, endpoint: str, test_id: int, test_hash: str) -> bool:
        """Return whether a test's details can wait for its turn although its other data are read.

        They cannot if products are selected: then the user wants current data.
        """
        return (
            not self.product_ids
            and test_id in self.known.read_at
            and self.known.has_test_hash(endpoint, test_id, test_hash)
            and not self.is_turn(test_id)
        )

    def is_turn(self, test_id: int) -> bool:
        """Return whether the data of a test that was read before are old enough for its turn."""
        return (self.known.read_at[test_id], test_id) <= self._turn

    @cached_property
    def _turn(self) -> tuple[datetime, float]:
        """The read time and id of the last test whose turn it is.

        Turns are divided among all tests in the last known lists. Open tests are counted, too, as
        nobody knows which tests are settled until all lists are read. Deleted tests are not.
        """
        known = self.known
        listed = known.tests_of(self.product_ids) if self.product_ids else known.tests()
        counted = sorted(known.read_at.keys() & listed) if listed else sorted(known.read_at)
        if len(counted) <= _SMALL_ACCOUNT:
            return self.now, inf
        until_next = self.max_age
        if known.last_load_at:
            until_next = min(self.max_age, _SLACK * (self.now - known.last_load_at))
        share = until_next / self.max_age if self.max_age else 1.0
        fresh_since = self.now - _FRESH * self.max_age
        too_old = min(fresh_since, self.now + until_next - self.max_age)
        aged = [test_id for test_id in counted if known.read_at[test_id] <= fresh_since]
        aged.sort(key=known.read_at.__getitem__)
        turns = aged[: ceil(share * len(counted))]
        last = (known.read_at[turns[-1]], turns[-1]) if turns else (too_old, inf)
        return max(last, (too_old, inf))


def is_final(test: Mapping[str, Any]) -> bool:
    """Return whether a test is over for good; its bugs can still be accepted or rejected."""
    return str(test.get("status")) in _FINAL


def read_ids(text: str) -> list[int]:
    """Return the ids in a JSON list of the ledger; ignore what is not an integer."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return []
    return [id_ for id_ in found if isinstance(id_, int)] if isinstance(found, list) else []


def _moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
