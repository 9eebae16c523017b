"""Measures what people wait for at their desk: commands that only start, and `make run`."""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from benchmarks.figures import Figure, markdown

PROJECT = Path(__file__).parents[1]
_TIMES = 7
_NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", ".testio", "target", "logs", "published", "reports", "*.duckdb*", ".*_cache"
)


def figures() -> list[Figure]:
    """Measure `make run` in a copy of the project, and commands on what it has built."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "project"
        shutil.copytree(PROJECT, folder, ignore=_NOT_COPIED)
        (folder / ".venv").symlink_to(PROJECT / ".venv")
        return [*make_run(folder), *commands(folder)]


def commands(folder: Path) -> list[Figure]:
    """Measure how long commands take that do next to nothing."""
    loader = str(Path(sys.executable).with_name("testio-loader"))
    asked = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "testio-loader --help": [loader, "--help"],
        "testio-loader status": [loader, "status"],
    }
    seconds = defaultdict(list)
    for _ in range(_TIMES):  # in turn, so that all meet the same machine
        for name, command in asked.items():
            seconds[name].append(_seconds(command, folder))
    floor, *others = ((name, statistics.median(times)) for name, times in seconds.items())
    return [
        Figure(f"`{name}`", f"{took:.2f} s", f"{floor[1]:.2f} s", took - floor[1], "s more", 0.5)
        for name, took in others
    ]


def make_run(folder: Path) -> list[Figure]:
    """Measure each command of `make run` on the sandbox."""
    listed = subprocess.run(
        ["make", "--no-print-directory", "--dry-run", "run"],  # noqa: S607 - it is what people type
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    took = {line: _seconds(["sh", "-c", line], folder) for line in listed.stdout.splitlines()}
    found = [Figure("`make run`, set-up apart", f"{sum(took.values()):.1f} s")]
    for line, seconds in took.items():
        command = line.replace(".venv/bin/", "").removeprefix("@")
        found.append(Figure(f"of that, `{command}`", f"{seconds:.1f} s"))
    return found


def _seconds(command: list[str], folder: Path) -> float:
    started = time.monotonic()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.monotonic() - started


if __name__ == "__main__":
    print(markdown(figures()))
