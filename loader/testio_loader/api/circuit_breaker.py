"""Stops calls after repeated failures, or if the token is refused: calls of one kind, or all."""

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

_MAX_FAILURES_OF_KIND = 50
"""After this many failed calls of one kind in a row, no more calls of that kind are made."""
_MAX_RATE_LIMITED = 5
"""The same for calls that failed because of the rate limit: each has waited a long time."""
_MAX_FAILURES = 20
"""After this many failed calls of any kind in a row, a probe checks whether the API is down."""
_REFUSED_EVERYWHERE = (
    "the API refuses the token (HTTP 401): check the token in api_token, "
    "and that it belongs to this customer"
)


class CircuitBreaker:
    """Counts calls whose retries all failed; safe to use from several threads.

    Args:
        probe: makes a call that must work for every account; returns its failure, or None.
    """

    def __init__(self, probe: Callable[[], CallError | None]) -> None:
        self._probe = probe
        self._lock = Lock()
        self._probe_lock = RLock()
        """Held while the API is probed, so that new calls wait."""
        self._failures = 0
        self._failures_of_kind: Counter[tuple[str, int]] = Counter()
        """By kind of call and by limit: the rate limit has its own."""
        self._stopped_kinds: dict[str, str] = {}
        self._stop_reason = ""
        self._unauthorized_kinds: set[str] = set()
        """Kinds of calls that got a 401 and caused a probe; each kind causes only one."""

    def check(self, path: str) -> None:
        """Raise ReadingStoppedError if calls to `path` are stopped."""
        with self._probe_lock:
            if reason := self._stop_reason or self._stopped_kinds.get(_kind(path)):
                raise ReadingStoppedError(reason)

    def succeeded(self, path: str) -> None:
        """Reset the counts: the API has answered."""
        with self._lock:
            self._failures = 0
            for limit in (_MAX_FAILURES_OF_KIND, _MAX_RATE_LIMITED):
                self._failures_of_kind[_kind(path), limit] = 0

    def failed(self, path: str, failure: CallError, *, is_divisible: bool) -> CallError:
        """Count a failed call, and return the failure to report.

        If a divisible call fails, its kind is stopped only because of the rate limit: in all other
        cases, smaller calls may work. The first 401 of a kind causes a probe: if that gets a 401 as
        well, all calls stop.
        """
        if isinstance(failure, NotFoundError):
            self.succeeded(path)
            return failure
        if isinstance(failure, ReadingStoppedError):
            return failure
        kind, is_probe_due = _kind(path), False
        if isinstance(failure, UnauthorizedError) and self._is_token_refused(kind):
            return ReadingStoppedError(self._stop_reason)
        is_rate_limited = isinstance(failure, RateLimitedError)
        is_broken = (
            isinstance(failure, UnusableAnswerError | UnauthorizedError) and not is_divisible
        )
        limit = _MAX_RATE_LIMITED if is_rate_limited else _MAX_FAILURES_OF_KIND
        with self._lock:
            self._failures += 1
            if self._failures == _MAX_FAILURES:
                self._failures, is_probe_due = 0, True
            self._failures_of_kind[kind, limit] += is_broken or is_rate_limited
            if self._failures_of_kind[kind, limit] >= limit:
                self._stopped_kinds[kind] = f"given up after {limit} failed calls: {failure}"
        if is_probe_due:
            with self._probe_lock:
                if self._probe() is not None and not self._stop_reason:
                    self._stop_reason = f"stopped because the API no longer answers: {failure}"
        return failure

    def _is_token_refused(self, kind: str) -> bool:
        with self._probe_lock:
            if not self._stop_reason and kind not in self._unauthorized_kinds:
                self._unauthorized_kinds.add(kind)
                if isinstance(self._probe(), UnauthorizedError):
                    self._stop_reason = _REFUSED_EVERYWHERE
            return bool(self._stop_reason)


def _kind(path: str) -> str:
    """Return the kind of a call: its path without ids and query."""
    return re.sub("[0-9]+", "#", path.partition("?")[0])
