"""Measures moving raw to other engines and building there, against DuckDB, and compares all rows.

python -m benchmarks.engines                    PostgreSQL, at 2,000 and 20,000 bugs
python -m benchmarks.engines --spark BUGS …     Spark as well, at so many; make test-spark brings it

Engines run as in the tests: a PostgreSQL server of its own, Spark on two cores of this machine.
"""

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.accounts import Size
from benchmarks.load import load_whole

BUGS_A_TEST = 20
sys.path.append(str(Path(__file__).parents[1] / "tests" / "python"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spark", action="store_true", help="Spark as well.")
    parser.add_argument("bugs", type=int, nargs="*", default=[2_000, 20_000])
    given = parser.parse_args()
    for bugs in given.bugs:
        measure(Size(50, bugs // BUGS_A_TEST, bugs), with_spark=given.spark)


def measure(size: Size, *, with_spark: bool) -> None:
    from compare import different, fingerprints, relations
    from engines import DuckDB, postgres

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        duckdb = DuckDB(folder / "warehouse.duckdb")
        loaded = load_whole(duckdb.path, size)
        print(f"{size}: landed in DuckDB in {loaded.seconds:.0f} s")
        server = stack.enter_context(postgres(folder))
        others: list[Any] = [server]
        if with_spark:
            from spark import engine

            place = folder / "spark"
            place.mkdir()
            others.append(engine(place, "local[2]", server.another("iceberg")))
        floor = seconds(duckdb.dbt, "run")
        print(f"  {duckdb.target:10} run {floor:7.1f} s")
        names = relations(folder / "target" / "manifest.json")
        found = {duckdb.target: fingerprints(duckdb, names)}
        for other in others:
            copying = seconds(other.copy_raw, duckdb.path)
            running = seconds(other.dbt, "run")
            found[other.target] = fingerprints(other, names)
            print(
                f"  {other.target:10} run {running:7.1f} s    ratio {running / floor:.2f}"
                f"    raw copied in {copying:.1f} s"
            )
        differing = sorted(different(found))
        print(f"  {len(names)} models, {len(differing)} of them differ", *differing)


def seconds(act: Any, *arguments: Any) -> float:
    started = time.monotonic()
    act(*arguments)
    return time.monotonic() - started


if __name__ == "__main__":
    main()
