"""Computes percentiles of triage and the weekly flow of bugs without SQL, from the oracle's bugs.

It compares what dbt built as `oracle.py` does.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cached_property
from math import ceil
from pathlib import Path
from typing import Any

import duckdb
import yaml
from oracle import DECIDED, PLACEHOLDER_DAY, Key, Oracle, Row, compared

KEYS = {
    "triage_quality": ("customer_id", "product_id", "period_type", "period_start_on", "severity"),
    "bug_flow": ("customer_id", "product_id", "week_start_on"),
}
WEEK = timedelta(weeks=1)


def differences(warehouse: Path, other_vars: Mapping[str, Any] | None = None) -> list[str]:
    """Return what dbt built differently, a line per value; `other_vars` override the project's."""
    project = yaml.safe_load((Path(__file__).parents[2] / "dbt_project.yml").read_text())
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        oracle = TriageOracle(connection, project["vars"] | (other_vars or {}))
        return [
            line for mart, key in KEYS.items() for line in compared(connection, oracle, mart, key)
        ]


class TriageOracle(Oracle):
    """The marts by key."""

    @cached_property
    def counted(self) -> list[tuple[int, Row]]:
        """Customer and bug, for each bug that counts and was reported within the calendar."""
        return [
            (customer_id, bug)
            for (customer_id, _), bug in self.fct_bugs.items()
            if bug["reported_on"] not in (None, PLACEHOLDER_DAY)
            and self.tests[customer_id, bug["test_id"]]["is_executed"]
            and not self.tests[customer_id, bug["test_id"]]["is_deleted"]
        ]

    @cached_property
    def triage_quality(self) -> dict[Key, Row]:
        groups: dict[Key, list[Row]] = defaultdict(list)
        for customer_id, bug in self.counted:
            month = bug["reported_on"].replace(day=1)
            for severity in (bug["severity"] or "unknown", "all"):
                groups[customer_id, bug["product_id"], "month", month, severity].append(bug)
                groups[customer_id, bug["product_id"], "all", None, severity].append(bug)
        return {key: _triage(bugs) for key, bugs in groups.items()}

    @cached_property
    def bug_flow(self) -> dict[Key, Row]:
        reported: dict[Key, list[date]] = defaultdict(list)
        decided: dict[Key, list[date]] = defaultdict(list)
        undated: dict[Key, list[date]] = defaultdict(list)
        for customer_id, bug in self.counted:
            product = customer_id, bug["product_id"]
            week = _monday(bug["reported_on"])
            reported[product].append(week)
            if bug["decided_on"] not in (None, PLACEHOLDER_DAY):
                decided[product].append(_monday(bug["decided_on"]))
            elif bug["decided_at"] is None and bug["status"] != "forwarded":
                undated[product].append(week)
        found: dict[Key, Row] = {}
        for product, weeks in reported.items():
            week, last = min(weeks), max(*weeks, *decided[product], weeks[0])
            while week <= last:
                so_far = {
                    name: sum(at <= week for at in of[product])
                    for name, of in (("in", reported), ("out", decided), ("undated", undated))
                }
                found[*product, week] = {
                    "reported_bug_count": weeks.count(week),
                    "decided_bug_count": decided[product].count(week),
                    "undated_bug_count": undated[product].count(week),
                    "reported_so_far_count": so_far["in"],
                    "decided_so_far_count": so_far["out"],
                    "waiting_bug_count": so_far["in"] - so_far["out"] - so_far["undated"],
                }
                week += WEEK
        return found


def _monday(day: date) -> date:
    return day - timedelta(day.weekday())


def _triage(bugs: list[Row]) -> Row:
    row: Row = {
        "bug_count": len(bugs),
        "decided_bug_count": sum(bug["status"] in DECIDED for bug in bugs),
        "reversed_bug_count": sum(bug["reversal"] is not None for bug in bugs),
    }
    for figure, sample in (
        ("days_to_decision", "dated_decision_count"),
        ("days_to_export", "exported_bug_count"),
    ):
        days = sorted(bug[figure] for bug in bugs if bug[figure] is not None)
        row[sample] = len(days)
        for percent in (50, 75, 90):
            place = ceil(len(days) * percent / 100) - 1
            row[f"{figure}_p{percent}"] = days[place] if days else None
    return row
