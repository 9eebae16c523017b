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
_SEARCH = "testio_marts.bug_search"
_MOST_SECONDS = 0.3
_MOST_SECONDS_OF_A_SEARCH = 2.0


def figures(warehouse: Path, manifest: Path, bugs: int) -> list[Figure]:
    """Measure each saved query; of the questions, the slowest and the search in all texts."""
    saved = statements(manifest, warehouse.stem)
    questions = dict(_SQL.findall(_QUESTIONS.read_text()))
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        found = [
            _figure(f"saved query `{name}`, {bugs:,} bugs", _seconds(connection, sql))
            for name, sql in saved.items()
        ]
        seconds = {number: _seconds(connection, sql) for number, sql in questions.items()}
    (search,) = (number for number, sql in questions.items() if _SEARCH in sql)
    searched = f"question {search}, a search in all texts of {bugs:,} bugs"
    found.append(_figure(searched, seconds.pop(search), _MOST_SECONDS_OF_A_SEARCH))
    slowest = max(seconds, key=lambda number: seconds[number])
    what = f"slowest of the other {len(seconds)} questions (number {slowest}), {bugs:,} bugs"
    return [*found, _figure(what, seconds[slowest])]


def _figure(what: str, seconds: float, most: float = _MOST_SECONDS) -> Figure:
    return Figure(what, f"{seconds:.2f} s", "", seconds, "s", most)


def _seconds(connection: duckdb.DuckDBPyConnection, sql: str) -> float:
    times = []
    for _ in range(_TIMES):
        started = time.monotonic()
        connection.execute(sql).fetchall()
        times.append(time.monotonic() - started)
    return statistics.median(times)
