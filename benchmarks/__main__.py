"""Measures the whole product in one run, beside what it is measured against.

python -m benchmarks            writes benchmarks/RESULTS.md; takes about twenty minutes
python -m benchmarks BUGS …     the same with accounts of other sizes, to try it out
"""

import argparse
import tempfile
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

from benchmarks import build, load, queries, results, start
from benchmarks.accounts import Size
from benchmarks.figures import Figure, markdown

from testio_loader.publish.saved_queries import MANIFEST

BUGS_A_TEST = 50
MOST_GROWTH = 1.3
MOST_TIMES_THE_FLOOR = 1.5


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bugs", type=int, nargs="*", default=[20_000, 200_000, 1_000_000])
    sizes = parser.parse_args().bugs
    found = {"At the desk": start.figures(), "Loads": load.figures()}
    runs, builds = {}, {}
    by_size: list[Figure] = []
    asked: list[Figure] = []
    for bugs in sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            warehouse = folder / "warehouse.duckdb"
            runs[bugs] = load.load_whole(warehouse, Size(50, bugs // BUGS_A_TEST, bugs))
            builds[bugs] = build.measure(warehouse, folder)
            if bugs == min(sizes):
                build.check(warehouse)
            is_largest = bugs == max(sizes)
            if is_largest:
                asked = queries.figures(warehouse, folder / "target" / MANIFEST.name, bugs)
        by_size.append(load.memory(bugs, runs[bugs]))
        by_size += build.figures(builds[bugs], bugs, MOST_TIMES_THE_FLOOR if is_largest else None)
    for small, large in pairwise(sizes):
        for what, seconds in (
            ("load", {bugs: run.seconds for bugs, run in runs.items()}),
            ("build", {bugs: done.seconds for bugs, done in builds.items()}),
        ):
            by_size.append(growth(what, small, large, seconds))
    found |= {"Accounts of all sizes": by_size, "Questions to the marts": asked}
    results.write(found, runs, builds)
    for title, figures in found.items():
        print(f"{title}\n\n{markdown(figures)}")


def growth(what: str, small: int, large: int, seconds: Mapping[int, float]) -> Figure:
    """Return how much faster time grows than the number of bugs."""
    return Figure(
        f"growth of a {what} from {small:,} to {large:,} bugs",
        f"{seconds[large] / seconds[small]:.2f} times the time",
        f"{large / small:.2f} times the bugs",
        seconds[large] / seconds[small] / (large / small),
        limit=MOST_GROWTH,
    )


if __name__ == "__main__":
    main()
