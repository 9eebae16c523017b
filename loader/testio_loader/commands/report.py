"""Prints reports; each table fits into 80 columns."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click
import orjson
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from testio_loader.land.pipeline import LoadReport, PlanReport
    from testio_loader.read.counts import Attribution

_MAX_LINES = 20
_WELL_ATTRIBUTED = 0.95


def print_table(
    title: str,
    headings: Sequence[str],
    rows: Sequence[Sequence[str | int]],
    *,
    has_totals: bool = False,
) -> None:
    """Print a table; numbers are right-aligned, and a last row can total them."""
    console = Console()
    console.print(title, style="bold", markup=False, highlight=False)
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for place, heading in enumerate(headings):
        is_number = bool(rows) and isinstance(rows[0][place], int)
        table.add_column(heading, justify="right" if is_number else "left", vertical="bottom")
    for row in rows:
        table.add_row(*map(_cell, row))
    if has_totals and rows:
        _, *columns = zip(*rows, strict=True)
        table.add_row("all", *(_cell(sum(column)) for column in columns), style="bold")
    console.print(table)


def print_lines(lines: Sequence[str], label: str = "") -> None:
    """Print the first lines, each with a label, and the number of lines left out."""
    console = Console()
    shown = list(lines[:_MAX_LINES])
    if len(lines) > _MAX_LINES:
        shown.append(f"{len(lines) - _MAX_LINES:,} more")
    for line in shown:
        text = f"{label}: {line}" if label else line
        # In a file or a pipe, lines are not wrapped, so that searches find them.
        console.print(text, markup=False, highlight=False, soft_wrap=not console.is_terminal)


def print_json(document: Any) -> None:
    """Print one JSON document."""
    click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))


def print_load(report: "LoadReport") -> None:
    """Print what a load did."""
    print_table(
        f"Customer {report.customer}",
        ("endpoint", "scopes", "incomplete", "calls", "records", "quarantined", "new or\nchanged"),
        [
            (e.endpoint, e.scopes, e.incomplete, e.calls, e.records, e.quarantined, e.versions)
            for e in report.endpoints
        ],
        has_totals=True,
    )
    print_lines(report.problems, "incomplete")
    print_lines(report.remarks, "noticed")
    if report.attribution.bugs:
        print_lines([describe(report.attribution)])


def print_plan(report: "PlanReport") -> None:
    """Print what a load would read."""
    print_table(
        f"Customer {report.customer}: nothing landed; a load would read",
        ("endpoint", "scopes", "calls\n(at least)"),
        [(e.endpoint, e.scopes, e.calls) for e in report.endpoints],
        has_totals=True,
    )
    print_lines(report.problems, "incomplete")
    print_lines(report.remarks, "noticed")


def describe(attribution: "Attribution") -> str:
    """Describe how many bugs are attributed and, if many are not, the reasons."""
    bugs, attributed = attribution.bugs, attribution.attributed
    text = f"{attributed:,} of {bugs:,} bugs name a test feature that was read"
    if attributed >= _WELL_ATTRIBUTED * bugs:
        return text
    reasons: Iterable[str] = (
        f"{count:,} {reason}"
        for count, reason in (
            (attribution.unnamed, "name none"),
            (attribution.unknown, "name one that is in none of the tests read"),
        )
        if count
    )
    return f"{text}: {', '.join(reasons)}"


def _cell(value: str | int) -> str:
    return f"{value:,}" if isinstance(value, int) else value
