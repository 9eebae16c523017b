"""Whether a time can be right: the newest of a record's versions is the one of the latest time."""

from datetime import UTC, datetime, timedelta

_SLACK = timedelta(hours=1)
"""By how much the clocks of machines that load may differ."""


def now() -> datetime:
    """Return what this machine's clock says."""
    return datetime.now(UTC)


def is_ahead(moment: datetime) -> bool:
    """Return whether what happened then would hide what is read from now on."""
    return moment - now() > _SLACK
