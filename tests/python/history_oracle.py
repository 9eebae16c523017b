"""Computes the history of features, comparisons of tests and control charts without SQL.

It reads raw as `oracle.py` does, and compares what dbt built in the same way.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from math import asin, floor, pi, sin, sqrt
from pathlib import Path
from typing import Any

import duckdb
import yaml
from json_values import BLANKS, at, name
from oracle import PLACEHOLDER_DAY, Bound, Key, Oracle, Row, compared, rate

KEYS = {
    "fct_feature_history": ("customer_id", "feature_id", "test_id"),
    "feature_quality": ("customer_id", "feature_id"),
    "fct_test_comparisons": ("customer_id", "test_id"),
    "control_charts": ("customer_id", "test_id", "measure"),
}
CHANGES = {
    ("passed", "failed"): "regressed",
    ("failed", "passed"): "recovered",
    ("failed", "failed"): "ongoing_failed",
    ("passed", "passed"): "ongoing_passed",
}
CHARTS = {
    "rejection_rate_of_decided": ("rejected_bug_count",),
    "acceptance_rate_of_decided": ("accepted_bug_count", "auto_accepted_bug_count"),
    "bugs_per_test": ("bug_count",),
}


def differences(warehouse: Path, other_vars: Mapping[str, Any] | None = None) -> list[str]:
    """Return what dbt built differently, a line per value; `other_vars` override the project's."""
    project = yaml.safe_load((Path(__file__).parents[2] / "dbt_project.yml").read_text())
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        oracle = HistoryOracle(connection, project["vars"] | (other_vars or {}))
        return [
            line for mart, key in KEYS.items() for line in compared(connection, oracle, mart, key)
        ]


class HistoryOracle(Oracle):
    """The marts by key."""

    @cached_property
    def cycles(self) -> dict[Key, Row]:
        """The tests that count and end within the calendar, in the order of their ends."""
        found = {
            key: test | {"ended_on": self._calendar_day(test["end_at"])}
            for key, test in self.tests.items()
            if test["is_executed"] and not test["is_deleted"]
        }
        known = {
            key: test
            for key, test in found.items()
            if test["ended_on"] not in (None, PLACEHOLDER_DAY)
        }
        return dict(sorted(known.items(), key=lambda item: (item[1]["end_at"], item[0])))

    @cached_property
    def results(self) -> dict[Key, dict[int, Row]]:
        """By test, the result and the bugs of each feature that it lists."""
        listed: dict[Key, dict[int, list[Row]]] = defaultdict(lambda: defaultdict(list))
        for (customer_id, _), feature in self.fct_test_features.items():
            listed[customer_id, feature["test_id"]][feature["feature_id"]].append(feature)
        order = ("failed", "blocked", "passed", "not_tested")
        return {
            test: {
                feature_id: {
                    "execution_status": min(
                        (row["execution_status"] for row in rows), key=order.index
                    ),
                    "bug_count": sum(row["bug_count"] for row in rows),
                }
                for feature_id, rows in features.items()
            }
            for test, features in listed.items()
        }

    @cached_property
    def fct_feature_history(self) -> dict[Key, Row]:
        found: dict[Key, Row] = {}
        last: dict[Key, Row] = {}
        for (customer_id, test_id), test in self.cycles.items():
            for feature_id, result in self.results.get((customer_id, test_id), {}).items():
                before = last.get((customer_id, feature_id))
                row = result | {
                    "test_id": test_id,
                    "product_id": test["product_id"],
                    "ended_on": test["ended_on"],
                    "is_finished": self._is_finished((customer_id, test_id)),
                    "is_latest": True,
                    "cycle_number": 1,
                    "change": "new",
                    "previous_test_id": None,
                    "previous_execution_status": None,
                    "previous_bug_count": None,
                }
                if before:
                    before["is_latest"] = False
                    statuses = before["execution_status"], row["execution_status"]
                    row |= {
                        "cycle_number": before["cycle_number"] + 1,
                        "change": CHANGES.get(statuses, "other"),
                        "previous_test_id": before["test_id"],
                        "previous_execution_status": before["execution_status"],
                        "previous_bug_count": before["bug_count"],
                    }
                    if row["execution_status"] == "not_tested":
                        row["change"] = "not_tested"
                last[customer_id, feature_id] = row
                found[customer_id, feature_id, test_id] = row
        return found

    @cached_property
    def feature_quality(self) -> dict[Key, Row]:
        bugs: dict[Key, int] = defaultdict(int)
        for (customer_id, _), bug in self.fct_bugs.items():
            test = self.tests[customer_id, bug["test_id"]]
            if test["is_executed"] and not test["is_deleted"]:
                bugs[customer_id, bug["feature_id"]] += 1
        tested = {
            (customer_id, feature_id)
            for (customer_id, test_id), features in self.results.items()
            for feature_id, result in features.items()
            if result["execution_status"] != "not_tested"
            and self.tests[customer_id, test_id]["is_executed"]
            and not self.tests[customer_id, test_id]["is_deleted"]
        }
        newest: dict[Key, Row] = {}
        last_on: dict[Key, date] = {}
        for (customer_id, feature_id, _), row in self.fct_feature_history.items():
            if row["execution_status"] != "not_tested":
                newest[customer_id, feature_id] = row
                last_on[customer_id, feature_id] = row["ended_on"]
        listed = {key for key, _ in self._listings("features")}
        of_products: dict[Key, list[Key]] = defaultdict(list)
        for key, feature in self._newest["features"].items():
            of_products[key[0], feature["product_id"]].append(key)
        found: dict[Key, Row] = {}
        for (customer_id, product_id), features in of_products.items():
            is_gone = (customer_id, product_id) in self.deleted_products
            as_of = self._as_of[customer_id].date() if customer_id in self._as_of else None
            total, so_far = sum(bugs[key] for key in features), 0
            ranked = sorted(features, key=lambda key: (-bugs[key], key))
            for rank, key in enumerate(ranked, 1):
                is_hotspot = bugs[key] > 0 and so_far / total < self._vars["hotspot_bug_share"]
                so_far += bugs[key]
                tested_on = last_on.get(key)
                if tested_on and as_of:
                    tested_on = min(tested_on, as_of)
                days = (as_of - tested_on).days if tested_on and as_of else None
                is_fragile = is_hotspot or newest.get(key, {}).get("execution_status") == "failed"
                is_deleted = key not in listed or is_gone
                found[key] = {
                    "is_deleted": is_deleted,
                    "last_tested_on": tested_on,
                    "days_since_last_tested": days,
                    "is_never_tested": key not in tested,
                    "is_untested_risk": (
                        is_fragile
                        and not is_deleted
                        and days is not None
                        and days >= self._vars["untested_risk_days"]
                    ),
                    "bug_rank": rank if bugs[key] else None,
                    "cumulative_bug_share": so_far / total if bugs[key] else None,
                    "is_hotspot": is_hotspot,
                }
        return found

    @cached_property
    def deleted_products(self) -> set[Key]:
        return self._newest["products"].keys() - {key for key, _ in self._listings("products")}

    # Tests

    @cached_property
    def finished(self) -> dict[Key, Row]:
        """The finished cycles of products, with what became of their bugs."""
        bugs: dict[Key, list[Row]] = defaultdict(list)
        for (customer_id, _), bug in self.fct_bugs.items():
            bugs[customer_id, bug["test_id"]].append(bug)
        return {
            key: test
            | self._judged([bugs[key]])
            | {"feature_count": len(self.results.get(key, {}))}
            for key, test in self.cycles.items()
            if test["product_id"] is not None and self._is_finished(key)
        }

    def _testing_type(self, key: Key) -> str | None:
        document = self._newest["tests"][key]["document"]
        given = at(document, "testing_type")
        known = name(given)
        if known == "external":
            return "custom"
        is_blank = given is None or (isinstance(given, str) and not given.strip(BLANKS))
        return "test_case" if is_blank else known

    @cached_property
    def fct_test_comparisons(self) -> dict[Key, Row]:
        last: dict[Key, Key] = {}
        found: dict[Key, Row] = {}
        for key, test in self.finished.items():
            testing_type = self._testing_type(key)
            group = key[0], test["product_id"], testing_type
            if testing_type is None:
                continue
            if group in last:
                found[key] = self._comparison(key, last[group]) | {"testing_type": testing_type}
            last[group] = key
        return found

    def _comparison(self, key: Key, before: Key) -> Row:
        test, previous = self.finished[key], self.finished[before]
        new, old = self.results.get(key, {}), self.results.get(before, {})
        both = new.keys() & old.keys()
        turns = [(old[id_]["execution_status"], new[id_]["execution_status"]) for id_ in both]
        row: Row = {
            "product_id": test["product_id"],
            "previous_test_id": before[1],
            "bug_count_change": test["bug_count"] - previous["bug_count"],
            "compared_feature_count": len(both),
            "added_feature_count": len(new.keys() - both),
            "dropped_feature_count": len(old.keys() - both),
            "regressed_feature_count": turns.count(("passed", "failed")),
            "recovered_feature_count": turns.count(("failed", "passed")),
            "ongoing_failed_feature_count": turns.count(("failed", "failed")),
            "compared_bug_count": sum(new[id_]["bug_count"] for id_ in both),
            "previous_compared_bug_count": sum(old[id_]["bug_count"] for id_ in both),
        }
        for column in ("ended_on", "feature_count", "bug_count", "decided_bug_count"):
            row |= {column: test[column], f"previous_{column}": previous[column]}
        for column in ("acceptance_rate_of_decided", "rejection_rate_of_decided"):
            now, then = test[column], previous[column]
            row |= {column: now, f"previous_{column}": then}
            row[f"{column}_change"] = None if now is None or then is None else now - then
        return row

    @cached_property
    def control_charts(self) -> dict[Key, Row]:
        history: dict[Key, list[tuple[float, int]]] = defaultdict(list)
        sides: dict[Key, list[int]] = defaultdict(list)
        found: dict[Key, Row] = {}
        for key, test in self.finished.items():
            for measure, counted in CHARTS.items():
                chart = key[0], test["product_id"], measure
                events = sum(test[column] for column in counted)
                sample = test["decided_bug_count"] if measure != "bugs_per_test" else 1
                is_complete = measure == "bugs_per_test" or (
                    sample > 0 and (not test["open_bug_count"] or self._is_long_over(key[0], test))
                )
                earlier = history[chart][-self._vars["control_chart_cycles"] :]
                row: Row = {
                    "event_count": events,
                    "sample": sample,
                    "value": rate(events, sample),
                    "is_complete": is_complete,
                    "earlier_cycle_count": len(earlier) if is_complete else None,
                    "is_judged": False,
                    **dict.fromkeys(("centre", "lower_limit", "upper_limit", "signal")),
                }
                if is_complete and len(earlier) >= self._vars["control_chart_minimum_cycles"]:
                    row |= self._limits(earlier, events, sample, measure, sides[chart])
                if is_complete:
                    history[chart].append(_score(events, sample, measure))
                found[*key, measure] = row
        return found

    def _is_long_over(self, customer_id: int, test: Row) -> bool:
        if customer_id not in self._as_of:
            return False
        since = self._as_of[customer_id] - test["end_at"]
        return bool(since.total_seconds() >= self._vars["auto_acceptance_days"] * 86400)

    def _limits(
        self,
        earlier: list[tuple[float, int]],
        events: int,
        sample: int,
        measure: str,
        sides: list[int],
    ) -> Row:
        weights = sum(weight for _, weight in earlier)
        centre = sum(score * weight for score, weight in earlier) / weights
        spread = sum(weight * (score - centre) ** 2 for score, weight in earlier)
        freedom = len(earlier) - 1
        variance = max(1, spread / freedom) * (1 / _score(events, sample, measure)[1] + 1 / weights)
        width = _quantile(freedom) * sqrt(variance)
        middle, low, high = (
            _value(score, sample, measure) for score in (centre, centre - width, centre + width)
        )
        value = events / sample
        side = (value > middle) - (value < middle)
        if middle * sample < 0.5 or (measure != "bugs_per_test" and (1 - middle) * sample < 0.5):
            side = 0
        sides.append(side)
        run = sum(sides[-self._vars["control_chart_run"] :])
        signal = None
        if value > high:
            signal = "above"
        elif value < low:
            signal = "below"
        elif abs(run) == self._vars["control_chart_run"]:
            signal = "run_above" if run > 0 else "run_below"
        return {
            "is_judged": True,
            "centre": Bound(middle),
            "lower_limit": Bound(low),
            "upper_limit": Bound(high),
            "signal": signal,
        }


def _score(events: int, sample: int, measure: str) -> tuple[float, int]:
    """Return a number whose variance is one divided by the weight, which is the other."""
    if measure == "bugs_per_test":
        return sqrt(events + 3 / 8), 4
    return asin(sqrt((events + 3 / 8) / (sample + 3 / 4))), 4 * sample + 2


def _value(score: float, sample: int, measure: str) -> float:
    if score <= 0:
        return 0.0
    if measure == "bugs_per_test":
        value = score**2 - 3 / 8
    else:
        angle = min(score, pi / 2)
        value = (sin(angle) ** 2 * (sample + 3 / 4) - 3 / 8) / sample
        value = 1.0 if angle == pi / 2 else min(value, 1)
    return floor(max(value, 0) * 10**6 + 0.5) / 10**6


def _quantile(freedom: int) -> float:
    """Return the quantile of Student's t that is at three standard deviations of a normal one."""
    z = 3
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return sum(term / freedom**power for power, term in enumerate(terms))
