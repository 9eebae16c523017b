"""How far a load is: bars for who watches a terminal, now and then a line for a log."""

import logging
import time
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable
from typing import Any

from dlt.common.runtime.collector_base import Collector
from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from testio_loader.api.endpoints import ENDPOINTS
from testio_loader.read.counts import Counts

logger = logging.getLogger(__name__)
_NAMES = tuple(endpoint.name for endpoint in ENDPOINTS)
_STAGES = {"Extract": "reading", "Normalize": "preparing", "Load": "landing"}


class _Watcher(Collector):
    """Shows the counts of a load; dlt says which stage it is, and what it has written.

    dlt's own collectors know no totals, since dlt does not know what there is to read.
    """

    def __init__(self, customer: str, counts: Counts, period: float) -> None:
        self.customer = customer
        self.counts = counts
        self.stage = ""
        self.records: Counter[str] = Counter()
        self.jobs = 0
        self.all_jobs = 0
        self._period = period
        self._shown_at = time.monotonic()

    def update(
        self,
        name: str,
        inc: int = 1,
        total: int | None = None,
        inc_total: int | None = None,
        message: str | None = None,
        label: str | None = None,
    ) -> None:
        """Take note; called by dlt."""
        if name == "Jobs" and not label:
            self.jobs += inc
            self.all_jobs += (total or 0) + (inc_total or 0)
        elif self.stage == "reading":
            self.records[name] += inc
        if time.monotonic() - self._shown_at >= self._period:
            self.show()
            self._shown_at = time.monotonic()

    @abstractmethod
    def show(self) -> None:
        """Show how far it is."""

    def _start(self, step: str) -> None:
        self.stage = _STAGES.get(step.partition(" ")[0], step)

    def _stop(self) -> None:
        self.show()


class Lines(_Watcher):
    """A line in the log, every 30 seconds."""

    def __init__(self, customer: str, counts: Counts, period: float = 30) -> None:
        super().__init__(customer, counts, period)

    def show(self) -> None:
        """Write a line, unless it is too early for one."""
        if self.stage == "reading":
            what = ", ".join(
                f"{name} {self.counts.closed[name]:,}/{opened:,}"
                for name in _NAMES
                if (opened := self.counts.opened[name])
            )
        else:
            what = f"{self.jobs:,}/{self.all_jobs:,} files"
        logger.info("Customer %s, %s: %s", self.customer, self.stage, what)

    def _stop(self) -> None:
        """Say nothing: the end of a stage is no news."""


class _Titled(Progress):
    title = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        """Return what is shown: bars under a title."""
        yield self.title
        yield from super().get_renderables()


class Bars(_Watcher):
    """A bar by endpoint, of its scopes; they vanish at the end, when the report says it all."""

    def __init__(self, customer: str, counts: Counts, console: Console) -> None:
        super().__init__(customer, counts, period=0.2)
        self._console = console
        self._progress: _Titled | None = None
        self._tasks: dict[str, TaskID] = {}

    def show(self) -> None:
        """Bring the bars up to date."""
        if self._progress is None:
            return
        if self.stage != "reading":
            self._show("files", self.jobs, self.all_jobs, "")
            return
        for name in _NAMES:
            records = f"{self.records[name]:,} records"
            self._show(name, self.counts.closed[name], self.counts.opened[name], records)

    def _show(self, name: str, done: int, total: int, records: str) -> None:
        shown: dict[str, Any] = {"completed": done, "total": total or None, "records": records}
        if self._progress is not None:
            self._progress.update(self._tasks[name], visible=total > 0, **shown)

    def _start(self, step: str) -> None:
        super()._start(step)
        self._progress = _Titled(
            TextColumn("  {task.description:<17}"),
            BarColumn(),
            TextColumn("{task.completed:,}/{task.total:,}", justify="right"),
            TextColumn("{task.fields[records]}", justify="right"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._progress.title = f"Customer {self.customer}: {self.stage}"
        names = _NAMES if self.stage == "reading" else ("files",)
        self._tasks = {
            name: self._progress.add_task(name, visible=False, total=None, records="")
            for name in names
        }
        self._progress.start()

    def _stop(self) -> None:
        super()._stop()
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
