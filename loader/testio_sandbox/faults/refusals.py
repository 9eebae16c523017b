"""Faults that refuse an answer: temporarily, permanently, or for certain requests."""

import time
from collections.abc import Callable, Mapping
from email.utils import formatdate

from testio_sandbox.faults.common import (
    KEY,
    Tally,
    around,
    html,
    listed,
    product_of_list,
    records_in,
    tests_by_product,
)
from testio_sandbox.record import usable_id
from testio_sandbox.server import Answer, Handler, Query


def rate_limited(handler: Handler, *, every: int = 10, seconds: int = 1) -> Handler:
    """Refuse every n-th call; Retry-After gives the seconds to wait."""
    return _refusing_every(handler, every, lambda: {"Retry-After": str(seconds)})


def rate_limited_until(handler: Handler, *, every: int = 10, seconds: int = 2) -> Handler:
    """Refuse every n-th call; Retry-After gives the date until which to wait."""
    # Clients compare the date with their clock, so it must be a current one.
    return _refusing_every(
        handler, every, lambda: {"Retry-After": formatdate(time.time() + seconds, usegmt=True)}
    )


def rate_limited_silently(handler: Handler, *, every: int = 10) -> Handler:
    """Refuse every n-th call, without Retry-After."""
    return _refusing_every(handler, every, dict)


def revoked(handler: Handler, *, after: int = 50) -> Handler:
    """Refuse the token from the n-th call on."""
    return _ending(handler, after, Answer(401, {"error": "this token is not accepted"}))


def down(handler: Handler, *, after: int = 50) -> Handler:
    """Be unavailable from the n-th call on."""
    return _ending(handler, after, html(503, "Service unavailable"))


def forbidden(handler: Handler, *, path_part: str = "") -> Handler:
    """Refuse the paths of one product, or all paths that contain `path_part`."""
    part = path_part or f"/products/{listed(handler, '/products')[0]['id']}"

    @around(handler)
    def answer(path: str, query: Query) -> Answer:
        if f"{part}/" in f"{path}/":
            return Answer(403, {"error": "this is another customer's"})
        return handler(path, query)

    return answer


def broken_test(handler: Handler, *, position: int = 3) -> Handler:
    """Always fail on pages that contain a certain test, at every page size; on nothing else.

    It is the test at this position in the first product that has that many tests.
    """
    tests = next((t for t in tests_by_product(handler, position) if len(t) == position), None)
    if tests is None:
        raise ValueError(f"no product has {position} tests")
    broken_id = usable_id(tests[-1])

    @around(handler)
    def answer(path: str, query: Query) -> Answer:
        found = handler(path, query)
        tests = records_in(found, KEY) if product_of_list(path) is not None else []
        if any(usable_id(test) == broken_id for test in tests):
            return Answer(500, {"error": "something went wrong"})
        return found

    return answer


def slow_for_many(handler: Handler, *, more_than: int = 20) -> Handler:
    """Time out on the bugs of too many tests; a request that names no tests asks for all."""

    @around(handler)
    def answer(path: str, query: Query) -> Answer:
        named = [
            id_ for value in query.get("filter_test_cycle_ids", ()) for id_ in value.split(",")
        ]
        if path == "/bugs" and (not named or len(named) > more_than):
            return html(524, "A timeout occurred")
        return handler(path, query)

    return answer


def _refusing_every(
    handler: Handler, every: int, headers: Callable[[], Mapping[str, str]]
) -> Handler:
    tally = Tally()

    @around(handler)
    def answer(path: str, query: Query) -> Answer:
        if tally.next() % every == 0:
            return Answer(429, {"error": "too many requests"}, headers())
        return handler(path, query)

    return answer


def _ending(handler: Handler, after: int, end: Answer) -> Handler:
    tally = Tally()

    @around(handler)
    def answer(path: str, query: Query) -> Answer:
        return end if tally.next() >= after else handler(path, query)

    return answer
