"""Measures loads: against a bare client, at a latency, after days of changes, and their memory."""

import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import duckdb
import urllib3
from benchmarks import process
from benchmarks.accounts import Served, Size, needed_paths, served
from benchmarks.figures import Figure, markdown, ratio

from testio_sandbox import TOKEN

SIZE = Size(50, 2_000, 20_000)
IN_FLIGHT = 10
LATENCY = 0.2
MOST_MEGABYTES = 500
LOADER = Path(sys.executable).with_name("testio-loader")


@dataclass(frozen=True)
class Run:
    """One load in a process of its own."""

    seconds: float
    calls: int
    peak_megabytes: float


def figures() -> list[Figure]:
    """Measure the loads of the account that all loads are compared by."""
    paths = needed_paths(SIZE.account())
    return [*without_latency(paths), *with_latency(paths)]


def without_latency(paths: list[str]) -> list[Figure]:
    """Measure a load, and those of days that follow, where the API answers at once."""
    with tempfile.TemporaryDirectory() as name, served(SIZE) as sandbox:
        folder = Path(name)
        cold = seconds_of_reading(sandbox, paths)  # the sandbox makes its records now
        floor = seconds_of_reading(sandbox, paths)
        warehouse = folder / "warehouse.duckdb"
        full = load(warehouse, sandbox)
        found = [
            Figure(
                "a bare urllib3 client that reads the same answers",
                f"{floor:.1f} s",
                f"{cold:.1f} s when the sandbox has to make them",
                len(paths) / floor,
                "calls/s",
            ),
            ratio(f"load, {SIZE}, no latency", full.seconds, floor, 3.5),
            Figure(
                "its calls",
                f"{full.calls:,}",
                f"{len(paths):,}",
                full.calls / len(paths),
            ),
        ]
        days = [a_day_later(warehouse, sandbox, day) for day in range(1, 9)]
        for day, limits in ((1, (0.15, 0.2)), (8, (None, None))):
            run = days[day - 1]
            what = "the day after" if day == 1 else f"the {day}th day, when settled tests get old"
            found += [
                Figure(
                    f"load of {what}: calls",
                    f"{run.calls:,}",
                    f"{full.calls:,}",
                    run.calls / full.calls,
                    limit=limits[0],
                ),
                ratio(f"load of {what}: time", run.seconds, full.seconds, limits[1]),
            ]
    return found


def with_latency(paths: list[str]) -> list[Figure]:
    """Measure a load where each answer takes its time."""
    with tempfile.TemporaryDirectory() as name, served(SIZE, LATENCY) as sandbox:
        full = load(Path(name) / "warehouse.duckdb", sandbox)
    floor = len(paths) * LATENCY / IN_FLIGHT
    what = f"the same at {LATENCY * 1000:.0f} ms a call"
    return [ratio(what, full.seconds, floor, 1.1)]


def memory(bugs: int, run: Run) -> Figure:
    """Return what a load has taken of memory."""
    return Figure(
        f"memory of a load of {bugs:,} bugs",
        f"{run.peak_megabytes:.0f} MB",
        value=run.peak_megabytes,
        unit="MB",
        limit=MOST_MEGABYTES,
    )


def seconds_of_reading(sandbox: Served, paths: list[str]) -> float:
    """Return how long a bare client takes to read answers, which it does not keep."""
    started = time.monotonic()
    deque(read(sandbox, paths), maxlen=0)
    return time.monotonic() - started


def read(sandbox: Served, paths: list[str]) -> Iterator[bytes]:
    """Yield the answers that a bare client reads."""
    headers = {"Authorization": f"Token {TOKEN}"}
    with urllib3.PoolManager(maxsize=IN_FLIGHT) as http, ThreadPoolExecutor(IN_FLIGHT) as pool:

        def answer(path: str) -> bytes:
            response = http.request("GET", f"{sandbox.url}{path}", headers=headers, timeout=60)
            if response.status != HTTPStatus.OK:
                raise RuntimeError(f"{path}: HTTP {response.status}")
            return response.data

        yield from pool.map(answer, paths)


def a_day_later(warehouse: Path, sandbox: Served, day: int) -> Run:
    """Let a day pass, in the account and for what was read of it, and load again."""
    sandbox.let_pass(day)
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("update testio_raw.ledger set read_at = read_at - interval 1 day")
    return load(warehouse, sandbox)


def load(warehouse: Path, sandbox: Served) -> Run:
    """Load what is served."""
    environment = {
        "TESTIO_DUCKDB_PATH": str(warehouse),
        "SOURCES__TESTIO__API_TOKEN": TOKEN,
        "SOURCES__TESTIO__CUSTOMER_ID": "1",
        "SOURCES__TESTIO__BASE_URL": sandbox.url,
    }
    usage = process.run([LOADER, "load", "--json"], environment)
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        sql = (
            "select sum(requests) from testio_raw.ledger"
            " where _dlt_load_id = (select max(load_id) from testio_raw._dlt_loads)"
        )
        (calls,) = connection.execute(sql).fetchone() or (0,)
    return Run(usage.seconds, int(calls), usage.peak_megabytes)


def load_whole(warehouse: Path, size: Size) -> Run:
    """Load an account that answers at once, for all its answers are made before."""
    with served(size) as sandbox:
        seconds_of_reading(sandbox, needed_paths(size.account()))
        return load(warehouse, sandbox)


if __name__ == "__main__":
    print(markdown(figures()))
