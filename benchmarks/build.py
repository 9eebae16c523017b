"""Measures the time of dbt's build against its compiled SQL, and its memory."""

import shutil
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson
from benchmarks import process
from benchmarks.figures import Figure, ratio
from benchmarks.floor import run_floor

LARGEST_PEAK_MEGABYTES = 4_000
PROJECT = Path(__file__).parents[1]
ORACLE = PROJECT / "tests" / "python" / "oracle.py"
DBT = Path(sys.executable).with_name("dbt")


@dataclass(frozen=True)
class Build:
    """One build in a process of its own."""

    seconds: float
    """All of it, dbt's own start apart."""
    starting: float
    floor: float
    """Seconds of the compiled SQL of the marts and all they need."""
    peak_megabytes: float
    by_layer: Counter[str]
    """Seconds by folder of models; those of tests under `data tests`."""
    slowest: list[tuple[str, float]]


def measure(warehouse: Path, folder: Path) -> Build:
    """Run all models and data tests, then the compiled SQL on a copy of what has landed.

    Unit tests are left out, for they do not depend on the data.
    """
    landed = folder / "floor" / warehouse.name
    landed.parent.mkdir()
    shutil.copy(warehouse, landed)
    shutil.copy(PROJECT / "profiles.yml.example", folder / "profiles.yml")
    environment = {
        "TESTIO_DUCKDB_PATH": str(warehouse),
        "DBT_PROJECT_DIR": str(PROJECT),
        "DBT_PROFILES_DIR": str(folder),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
    }
    usage = process.run(
        [DBT, "--quiet", "build", "--exclude-resource-type", "unit_test"], environment
    )
    floor = run_floor(landed, folder / "target" / "manifest.json")
    landed.unlink()
    return _told(folder / "target", floor, usage)


def check(warehouse: Path) -> None:
    """Compare four marts with what the oracle computes; it keeps all of raw in memory.

    Raises:
        SystemExit: if they differ; with the differences.
    """
    process.run([sys.executable, ORACLE, warehouse], {})


def _told(target: Path, floor: float, usage: process.Usage) -> Build:
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
        working,
        usage.seconds - working,
        floor,
        usage.peak_megabytes,
        by_layer,
        slowest.most_common(5),
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
