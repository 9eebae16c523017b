"""Control charts on simulated cycles: how often chance alone is a signal, and whether changes are.

The compiled SQL of the model runs on tables that stand in for its inputs. Each scenario is many
products of 40 cycles. docs/figures.md says what is expected here.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import NamedTuple

import duckdb
import pyarrow
import pytest
from commands import PROJECT, run_dbt

PRODUCTS, CYCLES, CHANGE = 1000, 40, 25
EXPECTED = 0.0105
"""The share beyond limits at three standard deviations, and that of eight in a row on one side."""
WARMED_UP = 15
"""From the cycle after this one on, runs are possible: 8 cycles of history, and 8 in a row."""


class Process(NamedTuple):
    """A product whose cycles differ by chance alone."""

    bugs: float
    """The mean number of bugs per cycle."""
    rejected: float
    """The probability that a bug is rejected."""
    bugs_spread: float = 0.0
    """The squared coefficient of variation of the mean of bugs, which has a gamma distribution."""
    rejected_spread: float = 0.0
    """The correlation of verdicts within a cycle; the probability has a beta distribution."""


UNCHANGED = {
    "5 bugs per cycle": Process(5, 0.15),
    "12 bugs per cycle": Process(12, 0.15),
    "30 bugs per cycle": Process(30, 0.15),
    "hardly any rejections": Process(12, 0.02),
    "few rejections": Process(12, 0.05),
    "many rejections": Process(12, 0.4),
    "fewer bugs than cycles": Process(0.7, 0.15),
    "cycles that differ": Process(12, 0.15, 0.2, 0.05),
    "large cycles that differ": Process(30, 0.15, 0.2, 0.05),
}
WILD = {
    "bugs": Process(12, 0.15, 1),
    "verdicts": Process(30, 0.15, 0, 0.1),
}
"""The variance of bugs is 13 times that of chance, and that of verdicts 4 times."""
EXPECTED_OF_WILD = 0.015


def poisson(random: Random, mean: float) -> int:
    """Count the events within one unit of time, which are exponentially far apart."""
    count, time = 0, random.expovariate(1)
    while time < mean:
        count, time = count + 1, time + random.expovariate(1)
    return count


def cycle(random: Random, process: Process) -> tuple[int, int]:
    """Return the numbers of bugs and of rejected bugs."""
    bugs, rejected, bugs_spread, rejected_spread = process
    if bugs_spread:
        bugs = random.gammavariate(1 / bugs_spread, bugs * bugs_spread)
    if rejected_spread:
        both = 1 / rejected_spread - 1
        rejected = random.betavariate(rejected * both, (1 - rejected) * both)
    count = poisson(random, bugs)
    return count, sum(random.random() < rejected for _ in range(count))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The model's SQL, as dbt compiles it for DuckDB."""
    folder = tmp_path_factory.mktemp("control_charts")
    run_dbt(folder / "warehouse.duckdb", "compile", "--select", "control_charts")
    manifest = json.loads((folder / "target" / "manifest.json").read_text())
    path = manifest["nodes"]["model.testio.control_charts"]["compiled_path"]
    return (PROJECT / path if not Path(path).is_absolute() else Path(path)).read_text()


@pytest.fixture
def judged(model: str) -> Iterator["Judge"]:
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as warehouse; use warehouse")
        yield Judge(connection, model)


class Judge:
    """Runs the model on simulated cycles."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, model: str) -> None:
        self._connection = connection
        self._model = model

    def __call__(self, before: Process, after: Process | None = None) -> None:
        """Make `charts` of products, whose process changes with a cycle."""
        random = Random(1)
        rows = []
        for product_id in range(PRODUCTS):
            for number in range(CYCLES):
                process = after if after and number >= CHANGE else before
                rows.append((product_id, number, *cycle(random, process)))
        execute = self._connection.execute
        execute("create schema testio_intermediate; create schema testio_marts")
        names = ("product_id", "number", "bugs", "rejected")
        self._connection.register("cycles", pyarrow.table(list(zip(*rows, strict=True)), names))
        execute(
            "create table testio_intermediate.int_as_of (customer_id bigint, as_of_at timestamp)"
        )
        execute(
            "create table testio_marts.test_quality as select"
            " cast(1 as bigint) as customer_id, product_id, number + 100 * product_id as test_id,"
            " timestamp '2020-01-01' + to_days(cast(number as integer)) as end_at,"
            " true as is_finished, bugs as bug_count, rejected as rejected_bug_count,"
            " bugs - rejected as accepted_bug_count, cast(0 as bigint) as auto_accepted_bug_count,"
            " bugs as decided_bug_count, cast(0 as bigint) as open_bug_count from cycles"
        )
        execute(f"create table charts as {self._model}")
        execute("alter table charts add column number bigint")
        execute("update charts set number = test_id % 100")

    def shares(self) -> Mapping[str, float]:
        """Return the share of judged values with a signal, by measure."""
        return dict(
            self._connection.execute(
                "select measure, avg(cast(signal is not null as integer)) from charts"
                f" where is_judged and number > {WARMED_UP} group by measure"
            ).fetchall()
        )

    def found(self, measure: str, cycles: int, *signals: str) -> float:
        """Return the share of products with such a signal within some cycles after the change."""
        row = self._connection.execute(
            f"select count(distinct product_id) / {PRODUCTS} from charts"
            f" where measure = '{measure}' and signal in {signals}"
            f" and number between {CHANGE} and {CHANGE + cycles - 1}"
        ).fetchone()
        assert row
        return float(row[0])


@pytest.mark.parametrize("process", UNCHANGED.values(), ids=UNCHANGED)
def test_chance_alone_is_hardly_ever_a_signal(judged: Judge, process: Process) -> None:
    judged(process)
    shares = judged.shares()
    assert len(shares) == 3
    assert max(shares.values()) <= EXPECTED


@pytest.mark.parametrize("process", WILD.values(), ids=WILD)
def test_cycles_that_differ_wildly_give_hardly_more(judged: Judge, process: Process) -> None:
    judged(process)
    assert max(judged.shares().values()) <= EXPECTED_OF_WILD


def test_a_large_change_is_found_within_three_cycles(judged: Judge) -> None:
    judged(Process(25, 0.15), Process(60, 0.4))
    for measure, side in (
        ("rejection_rate_of_decided", "above"),
        ("acceptance_rate_of_decided", "below"),
        ("bugs_per_test", "above"),
    ):
        assert judged.found(measure, 3, side, side) > 0.8
        assert judged.found(measure, 8, side, f"run_{side}") > 0.99


def test_a_change_in_small_cycles_is_found_by_a_run(judged: Judge) -> None:
    judged(Process(25, 0.15), Process(25, 0.4))
    assert judged.found("rejection_rate_of_decided", 8, "above", "run_above") > 0.9
    assert judged.found("bugs_per_test", 8, "above", "below") < 0.01
