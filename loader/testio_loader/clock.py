"""Provides times that only move forward, and detects times in the future.

The version with the latest time is a record's newest, so a wrong time could hide later changes.
"""

from datetime import UTC, datetime, timedelta
from threading import Lock

_MAX_CLOCK_SKEW = timedelta(hours=1)
"""How much the clocks of the machines that run loads may differ."""


def now() -> datetime:
    """Return the current time of this machine, in UTC."""
    return datetime.now(UTC)


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
