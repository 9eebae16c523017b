"""Provides times that only move forward, and detects times in the future.

The version with the latest time is a record's newest, so a wrong time could hide later changes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Lock

_MAX_CLOCK_SKEW = timedelta(hours=1)
"""How much the clocks of the machines that run loads may differ."""


_behind = timedelta()
"""How far `now` is behind this machine's time: zero, unless the sandbox plays its days."""


def now() -> datetime:
    """Return the current time of this machine, in UTC."""
    return datetime.now(UTC) - _behind


@contextmanager
def turned_back_to(moment: datetime) -> Iterator[None]:
    """Let this process, with all its threads, read at an earlier time: a past day of the sandbox.

    Only the time at which the API is read is turned back. Data lands at the machine's time.

    Raises:
        ValueError: if the moment is in the future.
    """
    global _behind
    behind = datetime.now(UTC) - moment
    if behind < timedelta():
        raise ValueError(f"{moment} is in the future")
    _behind = behind
    try:
        yield
    finally:
        _behind = timedelta()


def is_ahead(moment: datetime) -> bool:
    """Return whether a time is so far in the future that it would hide what is read from now on."""
    return moment - now() > _MAX_CLOCK_SKEW


class SteadyClock:
    """The clock of one load. It only moves forward, even if the machine's clock steps back.

    Args:
        after: all times are later than this one, the last read in the warehouse.
    """

    def __init__(self, after: datetime | None = None) -> None:
        self._last = after
        self._lock = Lock()

    def now(self) -> datetime:
        """Return the machine's time, or one microsecond after the last time if that is later."""
        with self._lock:
            moment = now()
            if self._last is not None and moment <= self._last:
                moment = self._last + timedelta(microseconds=1)
            self._last = moment
            return moment
