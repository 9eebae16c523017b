"""Shows the progress of a load: as bars in a terminal, or as lines in a log."""

import logging
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from dlt.common.runtime.collector_base import Collector
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from testio_loader.api.endpoints import ENDPOINTS
from testio_loader.read.counts import Counts

logger = logging.getLogger(__name__)
_STAGES = {"Extract": "reading", "Normalize": "preparing", "Load": "landing"}


class Progress(Collector):
    """Shows the counts of a load; dlt reports the stage, and what it has written.

    dlt's own collectors show no totals, because dlt does not know how much there is to read.

    Args:
        customer: the name of the customer.
        counts: the scopes to read, and those already read.
        console: the terminal for the bars, which vanish at the end; without it, lines are logged.
        period: seconds between two lines.
    """

    def __init__(
        self, customer: str, counts: Counts, console: Console | None = None, period: float = 30
    ) -> None:
        self._customer = customer
        self._counts = counts
        self._console = console
        self._period = period
        self._stage = ""
        self._records: Counter[str] = Counter()
        self._jobs = self._all_jobs = 0
        self._started_at = self._logged_at = time.monotonic()
        self._live: Live | None = None

    def update(
        self,
        name: str,
        inc: int = 1,
        total: int | None = None,
        inc_total: int | None = None,
        message: str | None = None,
        label: str | None = None,
    ) -> None:
        """Count what dlt reports; called by dlt."""
        if name == "Jobs" and not label:
            self._jobs += inc
            self._all_jobs += (total or 0) + (inc_total or 0)
        elif self._stage == "reading":
            self._records[name] += inc
        if not self._console and time.monotonic() - self._logged_at >= self._period:
            self._log()

    def _start(self, step: str) -> None:
        self._stage = _STAGES.get(step.partition(" ")[0], step)
        self._jobs = self._all_jobs = 0
        self._started_at = time.monotonic()
        if self._console:
            self._live = Live(console=self._console, get_renderable=self._bars, transient=True)
            self._live.start()

    def _stop(self) -> None:
        if self._live:
            self._live.stop()

    def _scopes(self) -> Iterator[tuple[str, int, int]]:
        """Yield each endpoint that has scopes: its name, scopes read and scopes found."""
        for endpoint in ENDPOINTS:
            if opened := self._counts.opened[endpoint.name]:
                yield endpoint.name, self._counts.closed[endpoint.name], opened

    def _log(self) -> None:
        self._logged_at = time.monotonic()
        text = f"{self._jobs:,}/{self._all_jobs:,} files"
        if self._stage == "reading":
            text = ", ".join(f"{name} {done:,}/{total:,}" for name, done, total in self._scopes())
        logger.info("Customer %s, %s: %s", self._customer, self._stage, text)

    def _bars(self) -> Group:
        seconds = timedelta(seconds=int(time.monotonic() - self._started_at))
        bars = Table.grid(padding=(0, 1, 0, 0))
        for justify in ("left", "left", "right", "right"):
            bars.add_column(justify=justify)

        def add(name: str, done: int, total: int, note: str = "") -> None:
            bar = ProgressBar(total=total, completed=done, width=40)
            bars.add_row(f"  {name:<17}", bar, f"{done:,}/{total:,}", note)

        if self._stage == "reading":
            for name, done, total in self._scopes():
                add(name, done, total, f"{self._records[name]:,} records")
        elif self._all_jobs:
            add("files", self._jobs, self._all_jobs)
        return Group(f"Customer {self._customer}: {self._stage} ({seconds})", bars)
