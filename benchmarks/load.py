"""Measures a load against its floor: the calls that are needed, at their latency, ten at once.

python -m benchmarks.load            time and calls at 200 ms a call
python -m benchmarks.load --memory   resident memory and time at 20,000 and 200,000 bugs
"""

import argparse
import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, takewhile
from pathlib import Path
from typing import Any

import duckdb

from loader.sandbox import Account

IN_FLIGHT = 10
LARGEST_PAGE = 100
LARGEST_BATCH = 200
LOADER = Path(sys.executable).with_name("testio-loader")


@dataclass(frozen=True)
class Size:
    """How large an account is."""

    products: int
    tests: int
    bugs: int
    bug_bytes: int = 2000


@dataclass(frozen=True)
class Run:
    """One load in a process of its own."""

    seconds: float
    calls: int
    peak_megabytes: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--memory", action="store_true")
    if parser.parse_args().memory:
        compare_memory()
    else:
        compare_with_floor(Size(50, 2_000, 20_000), latency=0.2)


def compare_with_floor(size: Size, latency: float) -> None:
    needed = needed_calls(size)
    floor = needed * latency / IN_FLIGHT
    run = load(size, latency)
    print(f"{size}, {latency * 1000:.0f} ms a call, {IN_FLIGHT} at once")
    print(f"  calls    needed {needed:7,}    made {run.calls:7,}    ratio {run.calls / needed:.2f}")
    ratio = run.seconds / floor
    print(f"  seconds  floor  {floor:7.1f}    load {run.seconds:7.1f}    ratio {ratio:.2f}")
    print(f"  peak resident memory {run.peak_megabytes:.0f} MB")


def compare_memory() -> None:
    # DuckDB keeps texts beyond 4 kB in another way than shorter ones.
    for bug_bytes in (2000, 5000):
        compare_memory_of(bug_bytes)


def compare_memory_of(bug_bytes: int) -> None:
    runs = {}
    for bugs in (20_000, 200_000):
        size = Size(50, 2_000, bugs, bug_bytes)
        runs[bugs] = run = load(size, latency=0)
        print(f"{size}: {run.peak_megabytes:.0f} MB, {run.seconds:.0f} s, {run.calls:,} calls")
    small, large = runs.values()
    print(
        f"ten times the bugs: {large.peak_megabytes / small.peak_megabytes:.2f} times the memory, "
        f"{large.seconds / small.seconds:.2f} times the time"
    )


def needed_calls(size: Size) -> int:
    """Return the fewest calls that read the whole account, counted from what it serves."""
    account = Account(size.products, size.tests, 0)

    def ask(path: str, key: str, **query: object) -> Any:
        return account(path, {k: [str(v)] for k, v in query.items()}).json()[key]

    calls = 3  # the products, the reject reasons, the number of all executions
    versions: list[int] = []
    executions = ask("/user_story_version_executions", "meta")["record_count"]
    for product in ask("/products", "products"):
        with_default = product.get("sections_with_default") or []
        plain = product.get("sections") or []
        sections = (
            {s["id"] for s in plain + with_default} if plain or len(with_default) > 1 else {0}
        )
        path = f"/products/{product['id']}/exploratory_tests"
        stories = {"includes[]": "user_stories", "per_page": LARGEST_PAGE}
        pages = (ask(path, "exploratory_tests", page=page, **stories) for page in count(1))
        tests = [test for page in takewhile(bool, pages) for test in page]
        calls += 2 * len(sections)  # features and user stories
        calls += 2  # test environments and templates
        calls += -(-len(tests) // LARGEST_PAGE) + 1  # the end of the list is an empty page
        for test in tests:
            calls += 1 + 2 * (
                test["testing_type"] is None
            )  # its details; test cases, their results
            versions.append(
                sum(
                    isinstance(story, dict)
                    for feature in test["features"]
                    for story in feature.get("user_stories") or []
                )
            )
    calls += -(-len(versions) // LARGEST_BATCH)  # bugs
    return calls + max(
        -(-sum(versions) // LARGEST_BATCH), max(versions), -(-executions // LARGEST_PAGE)
    )


def load(size: Size, latency: float) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        return load_into(Path(folder) / "warehouse.duckdb", size, latency)


def load_into(warehouse: Path, size: Size, latency: float) -> Run:
    with sandbox(size, latency) as url:
        environment = {
            **os.environ,
            "TESTIO_DUCKDB_PATH": str(warehouse),
            "SOURCES__TESTIO__API_TOKEN": "sandbox",
            "SOURCES__TESTIO__CUSTOMER_ID": "1",
            "SOURCES__TESTIO__BASE_URL": url,
        }
        started = time.monotonic()
        loader = subprocess.Popen([LOADER, "load"], env=environment, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(loader.pid, 0)
        seconds = time.monotonic() - started
        if status:
            raise SystemExit(f"the load ended with {os.waitstatus_to_exitcode(status)}")
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            sql = "select sum(requests) from testio_raw.ledger"
            calls = connection.execute(sql).fetchall()[0][0]
        return Run(seconds, int(calls), usage.ru_maxrss / 1024)


@contextlib.contextmanager
def sandbox(size: Size, latency: float) -> Iterator[str]:
    """Serve an account from a process of its own."""
    program = (
        "import threading; from loader.sandbox import Account, serve\n"
        f"account = Account({size.products}, {size.tests}, {size.bugs},"
        f" bug_bytes={size.bug_bytes})\n"
        f"with serve(account, latency={latency}) as sandbox:\n"
        "    print(sandbox.url, flush=True); threading.Event().wait()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout
            match = re.match(r"http\S+", server.stdout.readline())
            assert match
            yield match[0]
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
