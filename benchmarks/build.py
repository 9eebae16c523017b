"""Measures dbt's build against one script of SQL that makes the same marts, and its memory."""

import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path

import orjson

from benchmarks.figures import Figure, ratio
from benchmarks.floor import run_floor

LARGEST_PEAK_MEGABYTES = 4_000
PROJECT = Path(__file__).parents[1]
DBT = Path(sys.executable).with_name("dbt")


@dataclass(frozen=True)
class Build:
    """One build in a process of its own."""

    seconds: float
    """All of it, dbt's own start apart."""
    starting: float
    floor: float
    """Seconds of the script."""
    peak_megabytes: float
    by_layer: Counter[str]
    """Seconds by folder of models; those of data tests under `tests`."""
    slowest: list[tuple[str, float]]


def measure(warehouse: Path, folder: Path) -> Build:
    """Run the script, then all models and data tests, on what has landed.

    Unit tests are left out, for they do not depend on it.
    """
    # In a process of its own, for what this one holds would count as memory of dbt, its child.
    with ProcessPoolExecutor(1, get_context("spawn")) as apart:
        floor = apart.submit(run_floor, warehouse).result()
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
    return _told(folder / "target", seconds, floor, usage.ru_maxrss / 1024)


def _told(target: Path, seconds: float, floor: float, peak_megabytes: float) -> Build:
    """Return what dbt's own files tell of a build."""
    nodes = orjson.loads((target / "manifest.json").read_bytes())["nodes"]
    results = orjson.loads((target / "run_results.json").read_bytes())["results"]
    by_layer: Counter[str] = Counter()
    slowest: Counter[str] = Counter()
    moments = []
    for result in results:
        if not (node := nodes.get(result["unique_id"])):
            continue  # an exposure, which is only listed
        is_model = node["resource_type"] == "model"
        by_layer[node["fqn"][1] if is_model else "data tests"] += result["execution_time"]
        slowest[node["name"]] += result["execution_time"]
        moments += [
            datetime.fromisoformat(part[which])
            for part in result["timing"]
            for which in ("started_at", "completed_at")
        ]
    working = (max(moments) - min(moments)).total_seconds()
    return Build(
        working, seconds - working, floor, peak_megabytes, by_layer, slowest.most_common(5)
    )


def figures(done: Build, bugs: int, limit: float | None) -> list[Figure]:
    """Return what a build took of time and memory."""
    return [
        ratio(f"`dbt build` of {bugs:,} bugs, its start apart", done.seconds, done.floor, limit),
        ratio(
            "of that, the marts and what they are made of",
            sum(done.by_layer[layer] for layer in ("staging", "intermediate", "marts")),
            done.floor,
            limit,
        ),
        Figure(
            f"memory of `dbt build` of {bugs:,} bugs",
            f"{done.peak_megabytes:,.0f} MB",
            value=done.peak_megabytes,
            unit="MB",
            limit=LARGEST_PEAK_MEGABYTES,
        ),
    ]
