"""Shared by faults: counting calls, selecting calls that fail, and finding tests."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import wraps
from hashlib import blake2b
from inspect import unwrap
from threading import Lock
from typing import Any

from testio_sandbox.server import Answer, Handler, Query

_LIST_OF_TESTS = re.compile("/products/([0-9]+)/exploratory_tests")
KEY = "exploratory_tests"


def around(handler: Handler) -> Callable[[Handler], Handler]:
    """Mark a function as a wrapper of a handler, so that `inspect.unwrap` finds the account."""
    return wraps(handler, assigned=(), updated=())


class Tally:
    """Counts calls; it is thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._count = 0

    def next(self) -> int:
        """Return the number of this call, from 1."""
        with self._lock:
            self._count += 1
            return self._count


class Mishaps:
    """Makes a share of all calls fail, but never the same request three times in a row."""

    def __init__(self, fault: str, share: float) -> None:
        self._fault = fault
        self._share = share
        self._lock = Lock()
        self._calls: Counter[str] = Counter()
        self._in_a_row: Counter[str] = Counter()

    def roll(self, path: str, query: Query) -> int | None:
        """Return a number that selects the failure, or None if the call must not fail."""
        request = f"{path}?{sorted(query.items())}"
        with self._lock:
            self._calls[request] += 1
            name = f"{self._fault} {request} {self._calls[request]}"
            chance, number = divmod(int.from_bytes(blake2b(name.encode()).digest()[:6]), 2**16)
            if chance >= self._share * 2**32 or self._in_a_row[request] == 2:
                self._in_a_row[request] = 0
                return None
            self._in_a_row[request] += 1
            return number


def html(status: int, text: str) -> Answer:
    """Return a page in HTML, as gateways send."""
    body = f"<html><body><h1>{text}</h1></body></html>".encode()
    return Answer(status, body, {"Content-Type": "text/html"})


def product_of_list(path: str) -> int | None:
    """Return the product whose list of tests is at a path."""
    match = _LIST_OF_TESTS.fullmatch(path)
    return int(match[1]) if match else None


def records_in(answer: Answer, key: str) -> list[Any]:
    """Return the records in an answer; none if another fault has spoiled it."""
    with suppress(ValueError, LookupError, TypeError):
        # Unlike orjson, json also reads the invalid values that hostile records contain.
        found = json.loads(answer.data())[key]
        return found if isinstance(found, list) else []
    return []


def listed(handler: Handler, path: str, **query: object) -> list[Any]:
    """Return the list at a path without the faults that wrap the account."""
    answer = unwrap(handler)(path, {name: [str(value)] for name, value in query.items()})
    found: list[Any] = answer.json()[path.rsplit("/", 1)[-1]]
    return found


def tests_by_product(handler: Handler, per_page: int) -> Iterator[list[Any]]:
    """Yield the first tests of each product."""
    for product in listed(handler, "/products"):
        path = f"/products/{product['id']}/exploratory_tests"
        yield listed(handler, path, page=1, per_page=per_page)
