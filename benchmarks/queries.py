"""Measures what is asked of the marts: the saved queries, the questions of docs/questions.md."""

import re
import statistics
import time
from pathlib import Path

import duckdb
from benchmarks.figures import Figure

from testio_loader.publish.saved_queries import statements

_TIMES = 5
_QUESTIONS = Path(__file__).parents[1] / "docs" / "questions.md"
_SQL = re.compile(r"## (\d+)\. .*?```sql\n(.*?)\n```", re.DOTALL)
_MOST_SECONDS = 0.3


def figures(warehouse: Path, manifest: Path, bugs: int) -> list[Figure]:
    """Measure each saved query; of the questions, the one that takes longest."""
    saved = statements(manifest, warehouse.stem)
    questions = dict(_SQL.findall(_QUESTIONS.read_text()))
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        found = [
            _figure(f"saved query `{name}`, {bugs:,} bugs", _seconds(connection, sql))
            for name, sql in saved.items()
        ]
        slowest, number = max((_seconds(connection, sql), n) for n, sql in questions.items())
    what = f"slowest of the {len(questions)} questions (number {number}), {bugs:,} bugs"
    return [*found, _figure(what, slowest)]


def _figure(what: str, seconds: float) -> Figure:
    return Figure(what, f"{seconds:.2f} s", "", seconds, "s", _MOST_SECONDS)


def _seconds(connection: duckdb.DuckDBPyConnection, sql: str) -> float:
    times = []
    for _ in range(_TIMES):
        started = time.monotonic()
        connection.execute(sql).fetchall()
        times.append(time.monotonic() - started)
    return statistics.median(times)
