"""Tells, from calls that fail in a row, what it makes no sense to ask any more."""

import re
from collections import Counter
from collections.abc import Callable
from threading import Lock, RLock

from loader.api import CallFailed, NotFound, ReadingStopped, Unusable

_MAX_OF_A_KIND = 50
"""After so many calls of one kind the endpoint is taken to be broken; others are still asked."""
_MAX_OF_ALL = 20
"""After so many calls of any kind it is asked whether the API is down."""


class Breaker:
    """Counts calls that have failed in spite of all tries; safe to use from several threads."""

    def __init__(self, is_api_up: Callable[[], bool]) -> None:
        self._is_api_up = is_api_up
        self._lock = Lock()
        self._asking = RLock()
        """Held while it is asked whether the API is down: nobody else asks for anything then."""
        self._failures = 0
        self._failures_of_kind: Counter[str] = Counter()
        self._stopped: dict[str, str] = {}
        self._all_stopped = ""

    def check(self, path: str) -> None:
        """Raise ReadingStopped if there is no sense in asking for `path`."""
        with self._asking:
            if reason := self._all_stopped or self._stopped.get(_kind(path)):
                raise ReadingStopped(reason)

    def succeeded(self, path: str) -> None:
        """Note that the API has answered."""
        with self._lock:
            self._failures = 0
            self._failures_of_kind[_kind(path)] = 0

    def failed(self, path: str, failure: CallFailed, *, is_divisible: bool) -> None:
        """Note a failed call; that one which can be divided fails does not tell much."""
        if isinstance(failure, NotFound):
            self.succeeded(path)
            return
        if isinstance(failure, ReadingStopped):
            if str(failure) not in self._stopped.values():  # not because a kind is given up
                self._all_stopped = str(failure)
            return
        kind, is_suspect = _kind(path), False
        with self._lock:
            self._failures += 1
            if self._failures == _MAX_OF_ALL:
                self._failures, is_suspect = 0, True
            self._failures_of_kind[kind] += isinstance(failure, Unusable) and not is_divisible
            if self._failures_of_kind[kind] >= _MAX_OF_A_KIND:
                self._stopped[kind] = f"given up after {_MAX_OF_A_KIND} failed calls: {failure}"
        if is_suspect:
            with self._asking:
                if not self._is_api_up():
                    self._all_stopped = f"stopped, since nothing is answered any more: {failure}"


def _kind(path: str) -> str:
    return re.sub("[0-9]+", "#", path.partition("?")[0])
