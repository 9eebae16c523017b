"""Writes a run's figures and a plot of them into RESULTS.md and README.md; other text stays."""

import os
import platform
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import vl_convert
from benchmarks.build import Build
from benchmarks.figures import Figure, markdown
from benchmarks.load import Run

PAGE = Path(__file__).with_name("RESULTS.md")
README = Path(__file__).parents[1] / "README.md"
PLOT = Path(__file__).with_name("results.svg")
_MEASURED = re.compile(r"(?<=<!-- measured -->\n).*?(?=<!-- end of measured -->)", re.DOTALL)
_TOOLS = ("dlt", "dbt-core", "dbt-duckdb", "duckdb")


def write(
    sections: Mapping[str, list[Figure]],
    runs: Mapping[int, Run],
    builds: Mapping[int, Build],
) -> None:
    """Put a run's figures in the place of the last run's."""
    parts = [
        f"Measured on {datetime.now(UTC):%Y-%m-%d}, {_machine()}.\n",
        f"![Seconds by the number of bugs]({PLOT.name})\n",
    ]
    parts += [f"## {title}\n\n{markdown(figures)}" for title, figures in sections.items()]
    parts.append(f"## Where a build's seconds go\n\n{_layers(builds)}")
    _fill(PAGE, "\n".join(parts))
    limited = [figure for figures in sections.values() for figure in figures if figure.limit]
    _fill(README, markdown(limited))
    PLOT.write_text(vl_convert.vegalite_to_svg(_plot(runs, builds)))


def _fill(page: Path, measured: str) -> None:
    page.write_text(_MEASURED.sub(lambda _: f"\n{measured}\n", page.read_text(), count=1))


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    tools = ", ".join(f"{tool} {version(tool)}" for tool in _TOOLS)
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GB of memory, "
        f"Python {platform.python_version()}, {tools}"
    )


def _layers(builds: Mapping[int, Build]) -> str:
    layers = sorted({layer for build in builds.values() for layer in build.by_layer})
    rows = [["", *(f"{bugs:,} bugs" for bugs in builds)], ["---", *("---:" for _ in builds)]]
    rows.append(["dbt's start", *(f"{build.starting:.1f} s" for build in builds.values())])
    for layer in layers:
        rows.append([layer, *(f"{b.by_layer[layer]:.1f} s" for b in builds.values())])
    slowest = [
        ", ".join(f"`{name}` {seconds:.1f} s" for name, seconds in build.slowest)
        for build in builds.values()
    ]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"{table}\n\nThe slowest at the largest size: {slowest[-1]}.\n"


def _plot(runs: Mapping[int, Run], builds: Mapping[int, Build]) -> dict[str, object]:
    rows = [
        {"what": what, "bugs": bugs, "seconds": seconds}
        for bugs, build in builds.items()
        for what, seconds in (
            ("load", runs[bugs].seconds),
            ("dbt build", build.seconds),
            ("compiled SQL of the marts, in one connection", build.floor),
        )
    ]
    axis = {"scale": {"type": "log"}, "type": "quantitative"}
    sizes = {"values": list(builds), "format": ",d", "grid": False}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": 480,
        "height": 260,
        "background": "white",
        "data": {"values": rows},
        "mark": {"type": "line", "point": True},
        "encoding": {
            "x": {"field": "bugs", "title": "bugs in the account", "axis": sizes, **axis},
            "y": {"field": "seconds", "title": "seconds", **axis},
            "color": {
                "field": "what",
                "title": None,
                "sort": None,
                "scale": {"range": ["#0072b2", "#d55e00", "#666666"]},
                "legend": {"orient": "top", "labelLimit": 300},
            },
        },
    }
