"""Tells, from calls that fail in a row, what it makes no sense to ask any more."""

import re
from collections import Counter
from collections.abc import Callable
from threading import Lock, RLock

from testio_loader.api.base import (
    CallError,
    NotFoundError,
    RateLimitedError,
    ReadingStoppedError,
    UnauthorizedError,
    UnusableAnswerError,
)

_MAX_OF_A_KIND = 50
"""After so many failed calls of one kind, no more of that kind are made."""
_MAX_RATE_LIMITED = 5
"""The same for calls that the rate limit never let through: each has waited a long time."""
_MAX_OF_ALL = 20
"""After so many calls of any kind it is asked whether the API is down."""
_REFUSED_EVERYWHERE = (
    "the API refuses the token (HTTP 401): check the token in api_token, "
    "and that it belongs to this customer"
)


class CircuitBreaker:
    """Counts calls that have failed in spite of all tries; safe to use from several threads.

    Args:
        probe: makes a call that every account has an answer to; returns its failure, if it fails.
    """

    def __init__(self, probe: Callable[[], CallError | None]) -> None:
        self._probe = probe
        self._lock = Lock()
        self._asking = RLock()
        """Held while the API is probed: nobody else asks for anything then."""
        self._failures = 0
        self._failures_of_kind: Counter[tuple[str, int]] = Counter()
        """By kind of call, and by how many failures of that sort end it."""
        self._stopped: dict[str, str] = {}
        self._all_stopped = ""
        self._unauthorized_kinds: set[str] = set()
        """Kinds of calls that do not accept the token, though the probe did."""

    def check(self, path: str) -> None:
        """Raise ReadingStoppedError if there is no sense in asking for `path`."""
        with self._asking:
            if reason := self._all_stopped or self._stopped.get(_kind(path)):
                raise ReadingStoppedError(reason)

    def succeeded(self, path: str) -> None:
        """Note that the API has answered."""
        with self._lock:
            self._failures = 0
            for most in (_MAX_OF_A_KIND, _MAX_RATE_LIMITED):
                self._failures_of_kind[_kind(path), most] = 0

    def failed(self, path: str, failure: CallError, *, is_divisible: bool) -> CallError:
        """Note a failed call, and return the failure to report.

        The failure of a call that can be divided does not tell much. A first 401 of a kind has
        the token probed: it is refused everywhere (all reading stops), or only for that kind.
        """
        if isinstance(failure, NotFoundError):
            self.succeeded(path)
            return failure
        if isinstance(failure, ReadingStoppedError):
            return failure
        kind, is_suspect = _kind(path), False
        if isinstance(failure, UnauthorizedError) and self._is_token_refused(kind):
            return ReadingStoppedError(self._all_stopped)
        is_rate_limited = isinstance(failure, RateLimitedError)
        is_broken = (
            isinstance(failure, UnusableAnswerError | UnauthorizedError) and not is_divisible
        )
        most = _MAX_RATE_LIMITED if is_rate_limited else _MAX_OF_A_KIND
        with self._lock:
            self._failures += 1
            if self._failures == _MAX_OF_ALL:
                self._failures, is_suspect = 0, True
            self._failures_of_kind[kind, most] += is_broken or is_rate_limited
            if self._failures_of_kind[kind, most] >= most:
                self._stopped[kind] = f"given up after {most} failed calls: {failure}"
        if is_suspect:
            with self._asking:
                if self._probe() is not None and not self._all_stopped:
                    self._all_stopped = f"stopped, since nothing is answered any more: {failure}"
        return failure

    def _is_token_refused(self, kind: str) -> bool:
        with self._asking:
            if not self._all_stopped and kind not in self._unauthorized_kinds:
                self._unauthorized_kinds.add(kind)
                if isinstance(self._probe(), UnauthorizedError):
                    self._all_stopped = _REFUSED_EVERYWHERE
            return bool(self._all_stopped)


def _kind(path: str) -> str:
    return re.sub("[0-9]+", "#", path.partition("?")[0])
