"""Faults of an unreliable API: errors, delays and garbage."""

import time
from collections.abc import Callable

from testio_sandbox.faults.common import Mishaps, around, html
from testio_sandbox.server import Answer, Handler, Query

_ERRORS = (500, 502, 503, None)  # None drops the connection


def _cut_short(answer: Answer) -> Answer:
    return Answer(200, answer.data()[: len(answer.data()) // 2])


def _other_key(answer: Answer) -> Answer:
    found = answer.json()
    if isinstance(found, dict):
        return Answer(200, {f"other_{key}": value for key, value in found.items()})
    return Answer(200, {"other": found})


def _list(answer: Answer) -> Answer:
    found = answer.json()
    return Answer(200, list(found.values()) if isinstance(found, dict) else [found])


GARBAGE: dict[str, Callable[[Answer], Answer]] = {
    "cut_short": _cut_short,
    "html": lambda answer: html(200, "Please wait"),
    "empty": lambda answer: Answer(200, b""),
    "other_key": _other_key,
    "list": _list,
}
"""Ways to spoil a valid answer, which keeps the status 200."""


def flaky(handler: Handler, *, share: float = 0.05) -> Handler:
    """Answer some calls with an error, or drop the connection."""
    mishaps = Mishaps("flaky", share)

    @around(handler)
    def answer(path: str, query: Query) -> Answer:
        roll = mishaps.roll(path, query)
        if roll is None:
            return handler(path, query)
        status = _ERRORS[roll % len(_ERRORS)]
        if status is None:
            raise ConnectionError
        return html(status, "Something went wrong")

    return answer


def hanging(handler: Handler, *, seconds: float = 90.0, share: float = 0.02) -> Handler:
    """Delay some answers for longer than a client waits."""
    mishaps = Mishaps("hanging", share)

    @around(handler)
    def answer(path: str, query: Query) -> Answer:
        if mishaps.roll(path, query) is not None:
            time.sleep(seconds)
        return handler(path, query)

    return answer


def garbled(handler: Handler, *, share: float = 0.05) -> Handler:
    """Answer some calls with garbage."""
    mishaps, kinds = Mishaps("garbled", share), list(GARBAGE.values())

    @around(handler)
    def answer(path: str, query: Query) -> Answer:
        roll, found = mishaps.roll(path, query), handler(path, query)
        if roll is None or found.status != 200:
            return found
        return kinds[roll % len(kinds)](found)

    return answer


def garbled_for_good(
    handler: Handler, *, path: str = "/bugs/reject_reasons", kind: str = "cut_short"
) -> Handler:
    """Answer every call to one path with garbage, and no other call."""
    garbled_path, spoil = path, GARBAGE[kind]

    @around(handler)
    def answer(path: str, query: Query) -> Answer:
        found = handler(path, query)
        return spoil(found) if path == garbled_path and found.status == 200 else found

    return answer
