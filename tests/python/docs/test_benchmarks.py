"""What the benchmarks measure against, and that their page says what was found."""

import sys
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest
from benchmarks import load, process, results
from benchmarks.accounts import Size, needed_paths, served
from benchmarks.build import Build
from benchmarks.figures import Figure, markdown

from testio_loader.api.values import objects, parse_id

SIZE = Size(3, 12, 150)
QUESTIONS = {
    "products": "products",
    "bugs": "bugs",
    "executions": "user_story_version_executions",
    "tests": "exploratory_tests",
}


def test_the_bare_client_reads_what_a_load_reads(tmp_path: Path) -> None:
    paths = needed_paths(SIZE.account())
    with served(SIZE) as sandbox:
        run = load.load(tmp_path / "warehouse.duckdb", sandbox)
        answers = [orjson.loads(answer) for answer in load.read(sandbox, paths)]
    with duckdb.connect(str(tmp_path / "warehouse.duckdb"), read_only=True) as connection:
        assert len(answers) == len(set(paths)) <= run.calls
        for table, key in QUESTIONS.items():
            sql = f"select distinct id from testio_raw.{table}"
            landed = {id_ for (id_,) in connection.sql(sql).fetchall()}
            assert landed == ids(answers, key) != set()
    assert run.peak_megabytes > 0


def ids(answers: list[Any], key: str) -> set[int | None]:
    records = [record for answer in answers for record in objects(answer, key)]
    return {parse_id(record.get("id")) for record in records} - {None}


def test_the_memory_of_a_command_is_its_own() -> None:
    held = bytearray(300_000_000)
    assert process.run([sys.executable, "-c", "pass"], {}).peak_megabytes < len(held) / 1e6 / 3


def test_a_figure_beyond_its_limit_is_marked() -> None:
    good, bad = (Figure("load", "3.0 s", "1.0 s", value, limit=2.5) for value in (2.5, 3.0))
    assert markdown([good]).endswith("| load | 3.0 s | 1.0 s | 2.50 times | ≤ 2.50 times | yes |\n")
    assert markdown([bad]).endswith("| 3.00 times | ≤ 2.50 times | **no** |\n")


def test_what_is_said_of_the_figures_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page, readme, plot = (tmp_path / name for name in ("RESULTS.md", "README.md", "results.svg"))
    for name, path in (("PAGE", page), ("README", readme), ("PLOT", plot)):
        monkeypatch.setattr(results, name, path)
    before = "# Said before\n<!-- measured -->\nold\n<!-- end of measured -->\nSaid after\n"
    for path in (page, readme):
        path.write_text(before)
    done = Build(8.0, 3.0, 7.0, 900.0, {"marts": 5.0, "data tests": 3.0}, [("fct_bugs", 2.0)])
    runs = {bugs: load.Run(bugs / 1000, bugs, 400.0) for bugs in (1000, 2000)}
    plain, limited = Figure("calls", "3,000"), Figure("load", "3.0 s", value=2.0, limit=2.5)
    results.write({"Loads": [plain, limited]}, runs, dict.fromkeys(runs, done))
    for path, figures in ((page, [plain, limited]), (readme, [limited])):
        text = path.read_text()
        assert text.startswith("# Said before\n")
        assert text.endswith("Said after\n")
        assert "old" not in text
        assert markdown(figures) in text
    assert plot.read_text().startswith("<svg")
