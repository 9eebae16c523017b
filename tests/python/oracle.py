"""Computes four marts from raw in plain Python, and compares them with what dbt built.

`python tests/python/oracle.py WAREHOUSE` prints what differs in a DuckDB warehouse that was built
with the vars of dbt_project.yml.

The oracle shares no SQL with the models. It compares only the columns that it computes, so a new
column in a mart needs no change here.
"""

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import groupby, pairwise
from math import isclose, sqrt
from pathlib import Path
from statistics import NormalDist
from typing import Any, NamedTuple

import duckdb
import yaml
from json_values import array, at, is_true, label, lines, moment, name, parsed, text, whole

Row = dict[str, Any]
Key = tuple[Any, ...]
"""Customer and id of a record, or the key of a mart."""

KEYS = {
    "fct_bugs": ("customer_id", "bug_id"),
    "fct_test_features": ("customer_id", "test_feature_id"),
    "product_quality": ("customer_id", "product_id", "period_type", "period_start_on"),
    "fct_bug_status_changes": ("customer_id", "bug_id", "version_number", "changed_field"),
}


def differences(warehouse: Path, other_vars: Mapping[str, Any] | None = None) -> list[str]:
    """Return what dbt built differently, a line per value; `other_vars` override the project's."""
    project = yaml.safe_load((Path(__file__).parents[2] / "dbt_project.yml").read_text())
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        oracle = Oracle(connection, project["vars"] | (other_vars or {}))
        return [line for mart in KEYS for line in compared(connection, oracle, mart, KEYS[mart])]


def compared(
    connection: duckdb.DuckDBPyConnection, oracle: "Oracle", mart: str, names: tuple[str, ...]
) -> Iterator[str]:
    """Give the differences of a mart, whose key has these names."""
    expected: dict[Key, Row] = getattr(oracle, mart)
    built = {
        tuple(row[column] for column in names): row
        for row in _rows(connection, f"from testio_marts.{mart}")
    }
    for key in sorted(expected.keys() ^ built.keys(), key=repr):
        yield f"{mart} {key} is {'missing' if key in expected else 'not expected'}"
    for key in sorted(expected.keys() & built.keys(), key=repr):
        for column, value in expected[key].items():
            if not same(built[key][column], value):
                yield f"{mart} {key} {column} is {built[key][column]!r}, expected {value!r}"


def _rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[Row]:
    found = connection.execute(sql)
    names = [column[0] for column in found.description]
    return [dict(zip(names, values, strict=True)) for values in found.fetchall()]


# What has landed

TABLES = ("products", "features", "tests", "test_details", "bugs", "executions", "reject_reasons")
EARLIEST, LATEST = datetime.min, datetime.max  # noqa: DTZ901 - all times are in UTC


class Scope(NamedTuple):
    """What one read covers."""

    customer_id: int
    endpoint: str
    product_id: int | None
    test_id: int | None


class Read(NamedTuple):
    """A read, with the ids that it listed."""

    scope: Scope
    load_id: str
    is_complete: bool
    read_at: datetime
    ids: set[int]


class Version(NamedTuple):
    """One version of a bug."""

    values: dict[str, str | None]
    scope: Scope
    loaded_at: datetime
    first_seen_at: datetime
    watched_since_at: datetime


class Story(NamedTuple):
    """A user story of a test feature, with the number of its executions by status."""

    version: Key
    executions: Counter[str | None]
    bug_count: int


def landed(connection: duckdb.DuckDBPyConnection, table: str, time: str = "loaded_at") -> list[Row]:
    """Return the rows of completed loads, the newest version of each record last."""
    rows = _rows(
        connection,
        f"select * replace ({time} at time zone 'UTC' as {time})"
        f" from (select columns(lambda c: c not like '%valid%') from testio_raw.{table})"
        " where _dlt_load_id in (select load_id from testio_raw._dlt_loads where status = 0)",
    )
    for row in rows:
        row["document"] = parsed(row.pop("payload", ""))

    def age(row: Row) -> Key:
        # If a test lands with several products at once, the lowest product counts.
        product = -(row.get("product_id") or 2**63)
        return row[time], product, row.get("content_hash", ""), row["_dlt_load_id"]

    return sorted(rows, key=age)


def newest(rows: list[Row]) -> dict[Key, Row]:
    return {(row["customer_id"], row["id"]): row for row in rows}


# What the models decide

LEVELS = ("low", "high", "critical")
OTHER_TYPES = ("visual", "content", "custom")
RESULTS = ("passed", "failed", "blocked")
EXECUTED = ("running", "locked", "archived", "customer_finalized")
DECIDED = ("accepted", "auto_accepted", "rejected")
REVERSALS = {
    ("rejected", "accepted"): "rejected_to_accepted",
    ("rejected", "auto_accepted"): "rejected_to_accepted",
    ("accepted", "rejected"): "accepted_to_rejected",
    ("auto_accepted", "rejected"): "accepted_to_rejected",
    **dict.fromkeys([(status, "forwarded") for status in DECIDED], "reopened"),
}
MONTHS = {"month": 1, "quarter": 3, "year": 12}
PLACEHOLDER_DAY = date(1900, 1, 1)
COPIED_TO_BUGS = {
    "section_id": (whole, "section.id"),
    "test_environment_id": (whole, "test_environment.id"),
    "reported_test_feature_id": (whole, "test_feature.id"),
    "external_id": (label, "external_idx"),
    "tester_name": (name, "author.name"),
    "title": (label, "title"),
    "severity": (name, "severity"),
    "language": (name, "language"),
    "location": (text, "location"),
    "steps": (lines, "steps"),
    "expected_result": (text, "expected_result"),
    "actual_result": (text, "actual_result"),
    "device_count": (lambda devices: len(array(devices)), "devices"),
    "comment_count": (lambda comments: len(array(comments)), "comments"),
    "attachment_count": (lambda attachments: len(array(attachments)), "attachments"),
    "is_known": (is_true, "known"),
    "reported_at": (moment, "reported_at"),
    "exported_at": (moment, "exported_at"),
}


def bug_status(document: Any) -> str | None:
    status = name(at(document, "status"))
    is_auto_accepted = status == "accepted" and is_true(at(document, "auto_accepted"))
    return "auto_accepted" if is_auto_accepted else status


def execution_status(executions: Counter[str | None], bug_count: int) -> str:
    if executions["failed"] or bug_count:
        return "failed"
    return next((status for status in ("blocked", "passed") if executions[status]), "not_tested")


def bug_counts(bugs: list[Row]) -> Row:
    statuses, severities = (Counter(bug[of] for bug in bugs) for of in ("status", "severity"))
    return {
        "bug_count": len(bugs),
        "accepted_bug_count": statuses["accepted"],
        "auto_accepted_bug_count": statuses["auto_accepted"],
        "rejected_bug_count": statuses["rejected"],
        "open_bug_count": statuses["forwarded"],
        "known_bug_count": sum(bug["is_known"] for bug in bugs),
        "unattributed_bug_count": sum(bug["test_feature_id"] is None for bug in bugs),
        **{f"{severity}_bug_count": severities[severity] for severity in LEVELS + OTHER_TYPES},
        "bug_severity_score": sum(bug["severity_weight"] for bug in bugs),
    }


def unattributed_because(test_feature_id: int | None, listed: list[Any] | None) -> str | None:
    if listed:
        return None
    if test_feature_id is None:
        return "no_test_feature"
    return "unknown_test_feature" if listed is None else "rejected_test_feature"


def rate(part: int, whole: int) -> float | None:
    return part / whole if whole else None


Z = NormalDist().inv_cdf(0.975)


def wilson(part: int, whole: int) -> tuple[float | None, float | None]:
    """Return the shares that lie 1.96 of their own standard errors from the share that was seen."""
    if not whole:
        return None, None
    # (share - x)² = z² x (1 - x) / whole, as a quadratic equation of x
    share, square = part / whole, Z**2 / whole
    a, b, c = 1 + square, -(2 * share + square), share**2
    root = sqrt(max(b * b - 4 * a * c, 0))
    return max((-b - root) / (2 * a), 0), min((-b + root) / (2 * a), 1)


def byar(events: int, exposure: int) -> tuple[float | None, float | None]:
    if not exposure:
        return None, None
    low, high = (
        n * (1 - 1 / (9 * n) + side * Z / (3 * n**0.5)) ** 3 if n else 0
        for n, side in ((events, -1), (events + 1, 1))
    )
    return low / exposure, high / exposure


def same(built: Any, expected: Any) -> bool:
    """Compare bounds, which are sums of rounded terms, to 9 digits; everything else exactly."""
    if isinstance(built, float) and isinstance(expected, Bound):
        return isclose(built, expected, rel_tol=1e-9, abs_tol=1e-9)
    return bool(built == expected)


class Bound(float):
    """A bound of an interval."""


def bounds(name: str, interval: tuple[float | None, float | None]) -> Row:
    sides = zip(("low", "high"), interval, strict=True)
    return {f"{name}_{side}": None if at is None else Bound(at) for side, at in sides}


def days_between(first: datetime, second: datetime) -> float:
    return (second.replace(microsecond=0) - first.replace(microsecond=0)).total_seconds() / 86400


def period_start(day: date, months: int) -> date:
    return day.replace(month=day.month - (day.month - 1) % months, day=1)


class Oracle:
    """The four marts by key, and what they are made of."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, project_vars: Row) -> None:
        self._vars = project_vars
        self._landed = {table: landed(connection, table) for table in TABLES}
        self._newest = {table: newest(rows) for table, rows in self._landed.items()}
        self._reads = [
            Read(
                Scope(row["customer_id"], row["endpoint"], row["product_id"], row["test_id"]),
                row["_dlt_load_id"],
                row["is_complete"],
                row["read_at"],
                set(json.loads(row["ids"])),
            )
            for row in landed(connection, "ledger", "read_at")
        ]

    @cached_property
    def complete_reads(self) -> dict[Scope, list[datetime]]:
        """When each scope was read completely, in order."""
        times = defaultdict(list)
        for read in self._reads:
            if read.is_complete:
                times[read.scope].append(read.read_at)
        return dict(times)

    def _complete_at(self, *scope: Any) -> datetime:
        return self.complete_reads.get(Scope(*scope), [EARLIEST])[-1]

    # What is deleted

    def _listings(self, endpoint: str) -> Iterator[tuple[Key, Read]]:
        """Give each record that the latest complete read of a scope or a later read lists."""
        for read in self._reads:
            if read.scope.endpoint == endpoint and read.read_at >= self._complete_at(*read.scope):
                yield from (((read.scope.customer_id, id_), read) for id_ in read.ids)

    @cached_property
    def deleted_tests(self) -> set[Key]:
        """Tests are read with their product or alone; the later read says whether a test exists."""
        listed_products = {key for key, _ in self._listings("products")}
        deleted_products = self._newest["products"].keys() - listed_products
        by_product: dict[Key, datetime] = {}
        alone: dict[Key, datetime] = {}
        for key, read in self._listings("tests"):
            if (key[0], read.scope.product_id) not in deleted_products:
                (alone if read.scope.product_id is None else by_product)[key] = read.read_at

        def is_present(key: Key, product_id: int | None) -> bool:
            alone_at = self._complete_at(key[0], "tests", None, key[1])
            by_product_at = self._complete_at(key[0], "tests", product_id, None)
            if key in by_product and (key in alone or by_product[key] >= alone_at):
                return True
            is_product_deleted = (key[0], product_id) in deleted_products
            return key in alone and alone[key] >= by_product_at and not is_product_deleted

        return {
            key
            for key, row in self._newest["tests"].items()
            if not is_present(key, row["product_id"])
        }

    def _present(self, endpoint: str) -> dict[Key, Row]:
        """Return the newest version of the listed records of tests that are not deleted."""
        present = {
            key
            for key, read in self._listings(endpoint)
            if (key[0], read.scope.test_id) not in self.deleted_tests
        }
        return {key: row for key, row in self._newest[endpoint].items() if key in present}

    # Tests and their features

    @cached_property
    def tests(self) -> dict[Key, Row]:
        return {
            key: {
                "product_id": (
                    whole(at(row["document"], "product.id"))
                    if row["product_id"] is None
                    else row["product_id"]
                ),
                "status": name(at(row["document"], "status")),
                "is_executed": name(at(row["document"], "status")) in EXECUTED,
                "is_deleted": key in self.deleted_tests,
                "start_at": moment(at(row["document"], "start_at")),
                "end_at": moment(at(row["document"], "end_at")),
            }
            for key, row in self._newest["tests"].items()
        }

    @cached_property
    def test_features(self) -> dict[Key, list[tuple[int, Any]]]:
        """The tests and documents that have a known feature, per test feature; the first counts."""
        tests = self._newest["tests"]
        listed = {key for key, _ in self._listings("tests")}
        found = defaultdict(list)
        for customer_id, test_id in sorted(tests, key=lambda key: (key not in listed, key)):
            for feature in array(at(tests[customer_id, test_id]["document"], "features")):
                of_key = found[customer_id, whole(at(feature, "id"))]
                if (customer_id, whole(at(feature, "feature_id"))) in self._newest["features"]:
                    of_key.append((test_id, feature))
        return {key: of_key for key, of_key in found.items() if key[1] is not None}

    @cached_property
    def executions(self) -> list[tuple[Key, str | None, str | None]]:
        """The version of a user story, status and tester of each execution."""
        return [
            (
                (key[0], row["test_id"], row["user_story_version_id"]),
                name(at(row["document"], "status")),
                name(at(row["document"], "executed_by")),
            )
            for key, row in self._present("executions").items()
            if row["user_story_version_id"] is not None
        ]

    @cached_property
    def user_stories(self) -> dict[Key, list[Story]]:
        """The user stories of each test feature, where the details of its test first list it."""
        executions: dict[Key, Counter[str | None]] = defaultdict(Counter)
        for version, status, _ in self.executions:
            executions[version][status] += 1
        stories: dict[Key, list[Story]] = {}
        for (customer_id, test_id), row in self._newest["test_details"].items():
            for feature in array(at(row["document"], "features")):
                key = customer_id, whole(at(feature, "id"))
                listed = self.test_features.get(key)
                if not listed or listed[0][0] != test_id or key in stories:
                    continue
                stories[key] = []
                for story in array(at(feature, "user_stories")):
                    version = customer_id, test_id, whole(at(story, "user_story_version_id"))
                    bug_ids = set(map(whole, array(at(story, "bug_ids"))))
                    bug_count = sum((customer_id, bug_id) in self.fct_bugs for bug_id in bug_ids)
                    stories[key].append(Story(version, executions[version], bug_count))
        return stories

    @cached_property
    def fct_test_features(self) -> dict[Key, Row]:
        bugs, testers = defaultdict(list), defaultdict(set)
        for (customer_id, _), bug in self.fct_bugs.items():
            bugs[customer_id, bug["test_feature_id"]].append(bug)
            testers[customer_id, bug["test_feature_id"]].add(bug["tester_name"])
        # If a version of a user story is in several test features, the lowest one counts.
        feature_of = {
            story.version: key
            for key in sorted(self.user_stories, reverse=True)
            for story in self.user_stories[key]
        }
        for version, status, tester_name in self.executions:
            if status in RESULTS and version in feature_of:
                testers[feature_of[version]].add(tester_name)
        return {
            key: self._test_feature(key, *listed[0], bugs[key])
            | {"tester_count": len(testers[key] - {None})}
            for key, listed in self.test_features.items()
            if listed
        }

    def _test_feature(self, key: Key, test_id: int, document: Any, bugs: list[Row]) -> Row:
        test = self.tests[key[0], test_id]
        stories = self.user_stories.get(key, [])
        executions: Counter[str | None] = sum((story.executions for story in stories), Counter())
        bug_count = len(bugs) + sum(story.bug_count for story in stories)
        statuses = Counter(execution_status(story.executions, story.bug_count) for story in stories)
        listed = [
            name(at(story, "path")) or name(at(story, "title"))
            if isinstance(story, dict)
            else label(story)
            for story in array(at(document, "user_stories"))
        ]
        return {
            "product_id": test["product_id"],
            "test_id": test_id,
            "feature_id": whole(at(document, "feature_id")),
            "title": label(at(document, "title")),
            "execution_status": execution_status(executions, bug_count),
            **bug_counts(bugs),
            "execution_count": sum(executions[result] for result in RESULTS),
            "user_story_count": len(stories) or len(listed) - listed.count(None),
            "tested_user_story_count": sum(statuses[result] for result in RESULTS),
            **{f"{result}_user_story_count": statuses[result] for result in RESULTS},
            "is_executed": test["is_executed"],
            "is_deleted": test["is_deleted"],
        }

    # Bugs

    @cached_property
    def versions(self) -> dict[Key, list[Version]]:
        """The versions of each bug, the oldest first."""
        read_at = defaultdict(list)
        for read in self._reads:
            read_at[read.load_id, read.scope].append(read.read_at)
        versions: dict[Key, dict[datetime, Version]] = defaultdict(dict)
        for row in self._landed["bugs"]:
            scope = Scope(row["customer_id"], "bugs", None, row["test_id"])
            seen_at = min(read_at.get((row["_dlt_load_id"], scope), [row["loaded_at"]]))
            of_bug = versions[row["customer_id"], row["id"]]
            if same := of_bug.get(row["loaded_at"]):  # an archive was replayed twice
                seen_at = min(seen_at, same.first_seen_at)
            values = {
                "status": bug_status(row["document"]),
                "severity": name(at(row["document"], "severity")),
                "known": text(is_true(at(row["document"], "known"))),
            }
            watched_since_at = min(seen_at, *self.complete_reads.get(scope, [seen_at])[:1])
            of_bug[row["loaded_at"]] = Version(
                values, scope, row["loaded_at"], seen_at, watched_since_at
            )
        return {key: list(of_bug.values()) for key, of_bug in versions.items()}

    @cached_property
    def fct_bug_status_changes(self) -> dict[Key, Row]:
        reads = defaultdict(list)
        for read in self._reads:
            reads[read.scope].append(read)
        return {
            (*key, number, field): {
                "test_id": versions[-1].scope.test_id,
                "from_value": old.values[field],
                "to_value": value,
                "last_seen_before_at": max(
                    (
                        read.read_at
                        for read in reads[new.scope]
                        if key[1] in read.ids and read.read_at < new.loaded_at
                    ),
                    default=old.loaded_at,
                ),
                "first_seen_after_at": new.first_seen_at,
            }
            for key, versions in self.versions.items()
            for number, (old, new) in enumerate(pairwise(versions), 2)
            for field, value in new.values.items()
            if (value or "") != (old.values[field] or "")
        }

    def _triage(self, key: Key, reported_at: datetime | None) -> Row:
        """Return when a bug was first decided, and after how many days if it was watched before."""
        versions = self.versions[key]
        statuses = [version.values["status"] or "" for version in versions]
        decided = [
            v.first_seen_at for v in versions if v.values["status"] not in (None, "forwarded")
        ]
        triaged_at = min(decided, default=None)
        watched_since_at = min(version.watched_since_at for version in versions)
        is_observed = triaged_at and reported_at and watched_since_at < triaged_at >= reported_at
        return {
            "first_triaged_at": triaged_at,
            "days_to_first_triage": days_between(reported_at, triaged_at) if is_observed else None,
            "status_change_count": sum(old != new for old, new in pairwise(statuses)),
        }

    @cached_property
    def reject_reasons(self) -> dict[int, list[tuple[int, str, str]]]:
        """The position, id and comment of each customer's reject reasons."""
        reasons = defaultdict(list)
        for (customer_id, reason), row in self._newest["reject_reasons"].items():
            comment = text(at(row["document"], "default_comment")) or ""
            if comment := comment.replace("\r", "").strip(" "):
                reasons[customer_id].append((row["position"], reason, comment))
        return reasons

    def _rejection_reason(self, customer_id: int, document: Any) -> str | None:
        """Return the reason whose text is in the earliest comment."""
        matches = [
            (created_at or LATEST, number, reason)
            for number, reason, created_at in self._quotes(customer_id, document)
        ]
        return min(matches)[-1] if matches and bug_status(document) == "rejected" else None

    def _quotes(self, customer_id: int, document: Any) -> list[tuple[int, str, datetime | None]]:
        """Return each comment that quotes a reason: its number, the first such reason, its time."""
        quotes = []
        for number, comment in enumerate(array(at(document, "comments"))):
            body = (text(at(comment, "body")) or "").replace("\r", "")
            reasons = [
                (position, reason)
                for position, reason, default_comment in self.reject_reasons[customer_id]
                if default_comment in body
            ]
            if reasons:
                quotes.append((number, min(reasons)[1], moment(at(comment, "created_at"))))
        return quotes

    def _calendar_day(self, time: datetime | None) -> date | None:
        last_year = datetime.now(UTC).year + self._vars["calendar_years_ahead"]
        if time and not self._vars["calendar_first_year"] <= time.year <= last_year:
            return PLACEHOLDER_DAY
        return time and time.date()

    @cached_property
    def fct_bugs(self) -> dict[Key, Row]:
        return {
            key: self._bug(key, row["test_id"], row["document"])
            for key, row in self._present("bugs").items()
            if (key[0], row["test_id"]) in self.tests
        }

    def _bug(self, key: Key, test_id: int, document: Any) -> Row:
        bug = {column: read(at(document, path)) for column, (read, path) in COPIED_TO_BUGS.items()}
        severity, status = bug["severity"], bug_status(document)
        level = severity if severity in LEVELS else None
        reported = (key[0], bug["reported_test_feature_id"])
        listed = self.test_features.get(reported)
        _, test_feature = listed[0] if listed else (None, None)
        feature_id = whole(at(document, "feature.id"))
        app_section_id = whole(at(document, "app_section.id"))
        return {
            **bug,
            "product_id": self.tests[key[0], test_id]["product_id"],
            "test_id": test_id,
            "test_feature_id": reported[1] if listed else None,
            "feature_id": whole(at(test_feature, "feature_id")),
            "reported_feature_id": app_section_id if feature_id is None else feature_id,
            "bug_type": "functional" if level else severity if severity in OTHER_TYPES else None,
            "severity_level": level,
            "severity_weight": Decimal(str(self._vars[f"severity_weight_{level or 'other'}"])),
            "status": status,
            "rejection_reason": self._rejection_reason(key[0], document),
            "unattributed_because": unattributed_because(reported[1], listed),
            "is_auto_accepted": status != name(at(document, "status")),
            "reported_on": self._calendar_day(bug["reported_at"]),
            "exported_on": self._calendar_day(bug["exported_at"]),
            **self._triage(key, bug["reported_at"]),
            **self._decision(key, status, bug, document),
            **self._history(key, status, bug["reported_at"]),
            "day_of_test": self._day_of_test((key[0], test_id), bug["reported_at"]),
        }

    def _within_the_calendar(self, time: datetime | None) -> datetime | None:
        return None if self._calendar_day(time) == PLACEHOLDER_DAY else time

    def _day_of_test(self, test: Key, reported_at: datetime | None) -> int | None:
        start_at = self.tests[test]["start_at"]
        if not (start_at and reported_at and reported_at >= start_at):
            return None
        return (reported_at.date() - start_at.date()).days + 1

    def _decision(self, key: Key, status: str | None, bug: Row, document: Any) -> Row:
        """Return when the bug got its present verdict, by whatever says it most exactly."""
        reported_at, exported_at = bug["reported_at"], bug["exported_at"]
        known_report, known_export = map(self._within_the_calendar, (reported_at, exported_at))
        spans: list[tuple[bool, float, datetime, int, str, datetime | None]] = []

        def add(place: int, basis: str, earliest: datetime | None, latest: datetime) -> None:
            if latest <= seen_at and (since is None or latest >= since):
                width = days_between(earliest, latest) if earliest else 0
                spans.append((earliest is None, width, latest, place, basis, earliest))

        if status in DECIDED:
            seen_at, not_yet_at = self._verdict_seen(key)
            since = max((at for at in (reported_at, not_yet_at) if at), default=None)
            if not_yet_at:
                add(3, "observed", since, seen_at)
            if status == "rejected":
                for _, _, comment_at in self._quotes(key[0], document):
                    if comment_at:
                        add(1, "comment", comment_at, comment_at)
            if status == "auto_accepted" and known_report:
                due_at = known_report + timedelta(self._vars["auto_acceptance_days"])
                add(2, "auto_acceptance", due_at, due_at)
            if status == "accepted" and exported_at:
                add(4, "export", since, exported_at)
        _, _, latest, _, basis, earliest = min(spans, default=(0, 0, None, 0, None, None))
        return {
            "decided_at_basis": basis,
            "earliest_decided_at": earliest,
            "decided_at": latest,
            "decided_on": self._calendar_day(latest),
            "days_to_decision": (
                days_between(known_report, latest) if known_report and latest else None
            ),
            "days_to_export": (
                days_between(known_report, known_export)
                if known_report and known_export and known_export >= known_report
                else None
            ),
        }

    def _verdict_seen(self, key: Key) -> tuple[datetime, datetime | None]:
        """Return when the present status was first seen, and when it was last known not to be."""
        versions = self.versions[key]
        statuses = [version.values["status"] or "" for version in versions]
        place = len(statuses) - 1
        while place and statuses[place - 1] == statuses[place]:
            place -= 1
        if place:
            change = self.fct_bug_status_changes[*key, place + 1, "status"]
            return versions[place].first_seen_at, change["last_seen_before_at"]
        seen_at = versions[0].first_seen_at
        read_at = self.complete_reads.get(versions[0].scope, [LATEST])[0]
        return seen_at, read_at if read_at < seen_at else None

    @cached_property
    def _newest_load_began_at(self) -> dict[int, datetime]:
        """When the newest load of each customer with several loads first read bugs."""
        loads: dict[int, dict[str, list[datetime]]] = defaultdict(lambda: defaultdict(list))
        for read in self._reads:
            if read.scope.endpoint == "bugs":
                loads[read.scope.customer_id][read.load_id].append(read.read_at)
        return {
            customer_id: min(max(of_customer.items(), key=lambda load: (max(load[1]), load[0]))[1])
            for customer_id, of_customer in loads.items()
            if len(of_customer) > 1
        }

    def _history(self, key: Key, status: str | None, reported_at: datetime | None) -> Row:
        statuses = [version.values["status"] for version in self.versions[key]]
        in_turn = [value for value, _ in groupby(statuses)]
        turns = []
        for place, value in enumerate(in_turn[1:], 1):
            was_open = in_turn[place - 1] == "forwarded" and place > 1
            before = in_turn[place - 2] if was_open else in_turn[place - 1]
            turns += [REVERSALS[before, value]] if (before, value) in REVERSALS else []
        seen_at = min(version.first_seen_at for version in self.versions[key])
        due_at = None
        if status == "forwarded" and (reported := self._within_the_calendar(reported_at)):
            due_at = reported + timedelta(self._vars["auto_acceptance_days"])
        warned_at = self._as_of.get(key[0], EARLIEST) + timedelta(
            self._vars["auto_acceptance_warning_days"]
        )
        return {
            "reversal": turns[-1] if turns else None,
            "reversal_count": len(turns),
            "first_seen_at": seen_at,
            "is_new": seen_at >= self._newest_load_began_at.get(key[0], LATEST),
            "auto_accept_due_at": due_at,
            "is_auto_accepted_soon": due_at is not None and due_at <= warned_at,
            "bug_url": None,
        }

    # Products

    @cached_property
    def _as_of(self) -> dict[int, datetime]:
        """When each customer's newest list of tests was read, of complete ones if there are any."""
        newest: dict[int, tuple[bool, datetime]] = {}
        for read in self._reads:
            customer_id, endpoint, product_id, _ = read.scope
            if endpoint == "tests" and product_id is not None:
                found = read.is_complete, read.read_at
                newest[customer_id] = max(newest.get(customer_id, found), found)
        return {customer_id: read_at for customer_id, (_, read_at) in newest.items()}

    @cached_property
    def product_quality(self) -> dict[Key, Row]:
        bugs = defaultdict(list)
        for (customer_id, _), bug in self.fct_bugs.items():
            bugs[customer_id, bug["test_id"]].append(bug)
        periods = defaultdict(list)
        for key, test in self.tests.items():
            is_counted = test["is_executed"] and not test["is_deleted"]
            end_on = self._calendar_day(test["end_at"])
            if (
                is_counted
                and test["product_id"] is not None
                and end_on not in (None, PLACEHOLDER_DAY)
            ):
                for period_type, months in MONTHS.items():
                    start_on = period_start(end_on, months)
                    periods[key[0], test["product_id"], period_type, start_on].append(key)
        judged = {
            key: self._judged([bugs[test] for test in tests])
            | {
                "finished_test_count": sum(map(self._is_finished, tests)),
                "is_period_over": self._is_over(key),
            }
            for key, tests in periods.items()
        }

        def previous(customer_id: int, product_id: int, period_type: str, start_on: date) -> Row:
            before = period_start(start_on - timedelta(1), MONTHS[period_type])
            return judged.get((customer_id, product_id, period_type, before), {})

        return {key: row | _changes(row, previous(*key)) for key, row in judged.items()}

    def _is_finished(self, key: Key) -> bool:
        test, as_of = self.tests[key], self._as_of.get(key[0], EARLIEST)
        return test["status"] in ("locked", "archived") or (test["end_at"] or LATEST) < as_of

    def _is_over(self, key: Key) -> bool:
        customer_id, _, period_type, start_on = key
        next_day = start_on
        while period_start(next_day, MONTHS[period_type]) == start_on:
            next_day += timedelta(1)
        return next_day <= self._as_of.get(customer_id, EARLIEST).date()

    def _judged(self, bugs_of_tests: list[list[Row]]) -> Row:
        bugs = [bug for of_test in bugs_of_tests for bug in of_test]
        row = bug_counts(bugs)
        count, accepted = row["bug_count"], row["accepted_bug_count"]
        auto_accepted, rejected = row["auto_accepted_bug_count"], row["rejected_bug_count"]
        decided = accepted + auto_accepted + rejected
        severe = row["critical_bug_count"] + row["high_bug_count"]
        shares = {
            "acceptance_rate_of_decided": (decided - rejected, decided),
            "active_acceptance_rate_of_decided": (accepted, decided),
            "rejection_rate_of_decided": (rejected, decided),
            "review_rate_of_decided": (decided - auto_accepted, decided),
            "auto_acceptance_rate": (auto_accepted, accepted + auto_accepted),
            "known_bug_rate": (row["known_bug_count"], count),
            "severe_bug_rate": (severe, severe + row["low_bug_count"]),
        }
        row |= {
            "test_count": len(bugs_of_tests),
            "decided_bug_count": decided,
            "bug_author_count": len({bug["tester_name"] for bug in bugs} - {None}),
            "bugs_per_test": rate(count, len(bugs_of_tests)),
            **bounds("bugs_per_test", byar(count, len(bugs_of_tests))),
            "overall_acceptance_rate": rate(accepted + auto_accepted, count),
            "active_acceptance_rate": rate(accepted, count),
            "rejection_rate": rate(rejected, count),
            "review_rate": rate(accepted + rejected, count),
        }
        for share, (part, whole_) in shares.items():
            row |= {share: rate(part, whole_), **bounds(share, wilson(part, whole_))}
        triage_health, because = self._triage_health(row)
        return row | {
            "health": self._health(row) if bugs else None,
            "triage_health": triage_health,
            "triage_health_because": because,
        }

    def _triage_health(self, row: Row) -> tuple[str | None, str | None]:
        """Return the verdict, and the rate that led to it."""
        if not row["bug_count"]:
            return None, None
        if row["decided_bug_count"] < self._vars["health_minimum_decided_bugs"]:
            return "too_few_bugs", None
        limit = self._vars
        rejection, review = row["rejection_rate_of_decided"], row["review_rate_of_decided"]
        active, auto = row["active_acceptance_rate_of_decided"], row["auto_acceptance_rate"] or 0
        critical = {
            "rejection_rate_of_decided": rejection > limit["rejection_rate_critical_above"],
            "auto_acceptance_rate": auto > limit["auto_acceptance_rate_critical_above"],
            "review_rate_of_decided": review < limit["review_rate_critical_below"],
            "active_acceptance_rate_of_decided": (
                active < limit["active_acceptance_rate_critical_below"]
            ),
        }
        warning = {
            "rejection_rate_of_decided": rejection >= limit["rejection_rate_healthy_below"],
            "auto_acceptance_rate": auto >= limit["auto_acceptance_rate_healthy_below"],
            "review_rate_of_decided": review <= limit["review_rate_healthy_above"],
            "active_acceptance_rate_of_decided": (
                active < limit["active_acceptance_rate_healthy_from"]
            ),
        }
        for verdict, holds in (("critical", critical), ("warning", warning)):
            if any(holds.values()):
                return verdict, next(name for name, is_so in holds.items() if is_so)
        return "healthy", None

    def _health(self, row: Row) -> str:
        limits = self._vars
        rejection, review = row["rejection_rate"], row["review_rate"]
        active, auto = row["active_acceptance_rate"], row["auto_acceptance_rate"]
        if auto is None:  # nothing was accepted, so nothing was accepted automatically
            auto = -1
        if (
            rejection > limits["rejection_rate_critical_above"]
            or auto > limits["auto_acceptance_rate_critical_above"]
            or review < limits["review_rate_critical_below"]
            or active < limits["active_acceptance_rate_critical_below"]
        ):
            return "critical"
        if (
            rejection >= limits["rejection_rate_healthy_below"]
            or auto >= limits["auto_acceptance_rate_healthy_below"]
            or review <= limits["review_rate_healthy_above"]
            or active < limits["active_acceptance_rate_healthy_from"]
        ):
            return "warning"
        return "healthy"


def _changes(row: Row, previous: Row) -> Row:
    """Return how the figures of a period that is over differ from those of the period before."""
    counts = ("test_count", "bug_count", "bug_severity_score", "bugs_per_test")
    rates = ("_rate", "_rate_of_decided")
    figures = [column for column in row if column in counts or column.endswith(rates)]
    changes = {
        f"{figure}_change": (
            None
            if not row["is_period_over"] or None in (row[figure], previous.get(figure))
            else row[figure] - previous[figure]
        )
        for figure in figures
    }
    return {
        "previous_health": previous.get("health"),
        "previous_triage_health": previous.get("triage_health"),
        **changes,
    }


if __name__ == "__main__":
    found = differences(Path(sys.argv[1]))
    print(*found[:50], f"{len(found)} differences", sep="\n")
    sys.exit(bool(found))
