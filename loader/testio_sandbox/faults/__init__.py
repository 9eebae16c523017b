"""Faults of the API: each wraps a handler and makes some of its answers fail.

A fault depends on the requests and their number, never on the clock, so equal requests give equal
faults. A fault that concerns a certain test selects it when it wraps the handler. Faults can wrap
each other.
"""

from collections.abc import Callable

from testio_sandbox.faults.paging import (
    growing,
    overlapping_pages,
    page_ignored,
    shifting,
    small_pages,
)
from testio_sandbox.faults.records import (
    HOSTILE,
    HOSTILE_IDS,
    STRAY_ID,
    hostile_records,
    stray_bug,
)
from testio_sandbox.faults.refusals import (
    broken_test,
    down,
    forbidden,
    rate_limited,
    rate_limited_silently,
    rate_limited_until,
    revoked,
    slow_for_many,
)
from testio_sandbox.faults.unreliable import GARBAGE, flaky, garbled, garbled_for_good, hanging
from testio_sandbox.server import Handler

FAULTS: dict[str, Callable[[Handler], Handler]] = {
    fault.__name__: fault
    for fault in (
        rate_limited,
        rate_limited_until,
        rate_limited_silently,
        flaky,
        hanging,
        garbled,
        garbled_for_good,
        broken_test,
        slow_for_many,
        page_ignored,
        small_pages,
        overlapping_pages,
        shifting,
        growing,
        hostile_records,
        stray_bug,
        revoked,
        forbidden,
        down,
    )
}
"""Each fault by its name, with its default parameters."""

__all__ = ["FAULTS", "GARBAGE", "HOSTILE", "HOSTILE_IDS", "STRAY_ID", *FAULTS]
