"""Whether a time can be right: the newest of a record's versions is the one of the latest time."""

from datetime import UTC, datetime, timedelta
from threading import Lock

_SLACK = timedelta(hours=1)
"""By how much the clocks of machines that load may differ."""


def now() -> datetime:
    """Return what this machine's clock says."""
    return datetime.now(UTC)


def is_ahead(moment: datetime) -> bool:
    """Return whether what happened then would hide what is read from now on."""
    return moment - now() > _SLACK


class SteadyClock:
    """The clock of one load, which only moves forward, though the machine's clock may step back.

    Each time is later than the one before, and later than `after`: the last read that has landed.
    """

    def __init__(self, after: datetime | None = None) -> None:
        self._last = after
        self._lock = Lock()

    def now(self) -> datetime:
        """Return what the machine's clock says, or the next moment after the last time."""
        with self._lock:
            moment = now()
            if self._last is not None and moment <= self._last:
                moment = self._last + timedelta(microseconds=1)
            self._last = moment
            return moment
