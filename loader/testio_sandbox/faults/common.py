"""What faults have in common: counting calls, choosing victims, finding a test to be about."""

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
    """Mark a function as one around a handler; `inspect.unwrap` leads back to the account."""
    return wraps(handler, assigned=(), updated=())


class Tally:
    """Counts calls; threads can share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._count = 0

    def next(self) -> int:
        """Return which call this is, from 1."""
        with self._lock:
            self._count += 1
            return self._count


class Mishaps:
    """Lets a share of all calls go wrong, the same request never three times in a row."""

    def __init__(self, fault: str, share: float) -> None:
        self._fault = fault
        self._share = share
        self._lock = Lock()
        self._asked: Counter[str] = Counter()
        self._in_a_row: Counter[str] = Counter()

    def roll(self, path: str, query: Query) -> int | None:
        """Return a number to choose the mishap by, or None if nothing is to go wrong."""
        request = f"{path}?{sorted(query.items())}"
        with self._lock:
            self._asked[request] += 1
            name = f"{self._fault} {request} {self._asked[request]}"
            chance, number = divmod(int.from_bytes(blake2b(name.encode()).digest()[:6]), 2**16)
            if chance >= self._share * 2**32 or self._in_a_row[request] == 2:
                self._in_a_row[request] = 0
                return None
            self._in_a_row[request] += 1
            return number


def html(status: int, text: str) -> Answer:
    """Return a page as gateways answer with."""
    body = f"<html><body><h1>{text}</h1></body></html>".encode()
    return Answer(status, body, {"Content-Type": "text/html"})


def product_of_list(path: str) -> int | None:
    """Return the product whose list of tests is at a path."""
    match = _LIST_OF_TESTS.fullmatch(path)
    return int(match[1]) if match else None


def records_in(answer: Answer, key: str) -> list[Any]:
    """Return the records in an answer; another fault may have left none to be found."""
    with suppress(ValueError, LookupError, TypeError):
        # Unlike the library that made it, this one also reads what no library would write.
        found = json.loads(answer.data())[key]
        return found if isinstance(found, list) else []
    return []


def listed(handler: Handler, path: str, **query: object) -> list[Any]:
    """Return the list at a path as it is, without the faults that are already around it."""
    answer = unwrap(handler)(path, {name: [str(value)] for name, value in query.items()})
    found: list[Any] = answer.json()[path.rsplit("/", 1)[-1]]
    return found


def tests_by_product(handler: Handler, per_page: int) -> Iterator[list[Any]]:
    """Yield the first tests of each product."""
    for product in listed(handler, "/products"):
        path = f"/products/{product['id']}/exploratory_tests"
        yield listed(handler, path, page=1, per_page=per_page)
