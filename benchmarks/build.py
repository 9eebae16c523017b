"""Measures dbt's build of large synthetic accounts: its time, against a floor, and its memory.

python -m benchmarks.build                at 20,000, 200,000 and 1,000,000 bugs
python -m benchmarks.build BUGS …         at so many

The floor is what no build can do without: reading each payload once, parsing it, writing it.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

import duckdb
import orjson

from benchmarks.load import Size, load_into

BUGS_A_TEST = 500
LARGEST_PEAK_MEGABYTES = 4_000
PROJECT = Path(__file__).parents[1]
DBT = Path(sys.executable).with_name("dbt")


@dataclass(frozen=True)
class Build:
    """One build in a process of its own."""

    seconds: float
    peak_megabytes: float
    slowest: list[tuple[str, float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bugs", type=int, nargs="*", default=[20_000, 200_000, 1_000_000])
    sizes = [Size(50, bugs // BUGS_A_TEST, bugs) for bugs in parser.parse_args().bugs]
    builds = [measure(size) for size in sizes]
    for (small, before), (large, after) in pairwise(zip(sizes, builds, strict=True)):
        print(
            f"{large.bugs / small.bugs:.1f} times the bugs: "
            f"{after.seconds / before.seconds:.2f} times the time"
        )


def measure(size: Size) -> Build:
    with tempfile.TemporaryDirectory() as folder:
        warehouse = Path(folder) / "warehouse.duckdb"
        loaded = load_into(warehouse, size, latency=0)
        print(f"{size}: landed in {loaded.seconds:.0f} s")
        # In a process of its own, for what this one holds would count as memory of dbt, its child.
        with ProcessPoolExecutor(1, get_context("spawn")) as apart:
            floor = apart.submit(seconds_of_one_pass, warehouse).result()
        build = build_in(Path(folder), warehouse)
    print(
        f"  seconds  floor  {floor:7.1f}    build {build.seconds:7.1f}"
        f"    ratio {build.seconds / floor:.2f}"
    )
    for name, seconds in build.slowest:
        print(f"  {seconds:7.1f}  {name}")
    print(f"  peak resident memory {build.peak_megabytes:.0f} MB")
    assert build.peak_megabytes < LARGEST_PEAK_MEGABYTES
    return build


def seconds_of_one_pass(warehouse: Path) -> float:
    paths = [f"$.{name}" for name in ("id", "title", "status", "severity", "steps", "devices")]
    settings = {"memory_limit": "2GB", "preserve_insertion_order": "false"}
    with duckdb.connect(str(warehouse), config=settings) as connection:
        connection.execute("set enable_progress_bar = false")
        tables = connection.execute(
            "select table_name from information_schema.columns "
            "where table_schema = 'testio_raw' and column_name = 'payload'"
        ).fetchall()
        started = time.monotonic()
        for (table,) in tables:
            connection.execute(
                f"create temporary table {table} as "
                f"select *, json_extract_string(try_cast(payload as json), {paths}) "
                f"from testio_raw.{table}"
            )
        return time.monotonic() - started


def build_in(folder: Path, warehouse: Path) -> Build:
    """Run all models and data tests; unit tests do not depend on what was loaded."""
    shutil.copy(PROJECT / "profiles.yml.example", folder / "profiles.yml")
    environment = {
        **os.environ,
        "TESTIO_DUCKDB_PATH": str(warehouse),
        "DBT_PROJECT_DIR": str(PROJECT),
        "DBT_PROFILES_DIR": str(folder),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
    }
    command = [DBT, "--quiet", "build", "--exclude-resource-type", "unit_test"]
    started = time.monotonic()
    dbt = subprocess.Popen(command, env=environment)
    _, status, usage = os.wait4(dbt.pid, 0)
    seconds = time.monotonic() - started
    if status:
        raise SystemExit(f"dbt ended with {os.waitstatus_to_exitcode(status)}")
    results = orjson.loads((folder / "target" / "run_results.json").read_bytes())["results"]
    times = [(result["unique_id"].split(".")[2], result["execution_time"]) for result in results]
    slowest = sorted(times, key=lambda named: -named[1])[:5]
    return Build(seconds, usage.ru_maxrss / 1024, slowest)


if __name__ == "__main__":
    main()
