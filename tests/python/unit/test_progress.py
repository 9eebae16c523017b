"""What is seen while a load runs: bars at a terminal, a line now and then in a log."""

import io
import logging

import pytest
from rich.console import Console

from testio_loader.land.progress import Progress
from testio_loader.read.counts import Counts


@pytest.fixture
def counts() -> Counts:
    """Half of the bugs and all tests are read."""
    counts = Counts()
    for endpoint, opened, closed in (("bugs", 4, 2), ("tests", 1, 1)):
        for _ in range(opened):
            counts.open(endpoint)
        for _ in range(closed):
            counts.close(endpoint)
    return counts


def test_a_log_has_a_line_of_what_is_read_and_landed(
    counts: Counts, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "testio_loader")
    lines = Progress("acme", counts, period=0)
    with lines("Extract testio"):
        lines.update("bugs", 1_234)
    with lines("Load testio in 1700000000.1"):
        lines.update("Jobs", 0, 14)
        lines.update("Jobs", 3)
    with lines("Load testio in 1700000000.1"):  # again, with more memory
        lines.update("Jobs", 0, 14)
    assert caplog.messages == [
        "Customer acme, reading: tests 1/1, bugs 2/4",
        "Customer acme, landing: 0/14 files",
        "Customer acme, landing: 3/14 files",
        "Customer acme, landing: 0/14 files",
    ]


def test_a_short_load_leaves_no_line(counts: Counts, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "testio_loader")
    lines = Progress("acme", counts)
    with lines("Extract testio"):
        lines.update("bugs", 1)
    assert caplog.messages == []


def test_a_terminal_has_a_bar_for_each_endpoint_that_is_read(counts: Counts) -> None:
    screen = io.StringIO()
    bars = Progress("acme", counts, Console(file=screen, force_terminal=True, width=80))
    with bars("Extract testio"):
        bars.update("bugs", 1_234)
    seen = screen.getvalue()
    assert "Customer acme: reading" in seen
    assert "2/4 1,234 records" in seen
    assert "1/1" in seen
    assert "executions" not in seen
