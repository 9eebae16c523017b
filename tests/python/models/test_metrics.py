"""The semantic layer gives what plain SQL over the marts gives, for each metric and dimension."""

import itertools
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from metricflow.engine.metricflow_engine import MetricFlowEngine, MetricFlowQueryRequest
from metricflow.protocols.sql_client import SqlClient
from metricflow_semantic_interfaces.type_enums import DimensionType
from semantic import built

from testio_sandbox import Account

pytestmark = pytest.mark.slow

TIMES = {
    f"metric_time__{grain}": f"date_trunc('{grain}', cast(tests.end_at as date))"
    for grain in ("day", "week", "month", "quarter", "year")
}
TESTS = TIMES | {
    "test__customer": "tests.customer_id",
    "test__product": "coalesce(products.product_name, 'unknown')",
    "test__product_id": "tests.product_id",
    "test__section": (
        "case when tests.section_id is null then 'none'"
        " else coalesce(sections.section_name, 'unknown') end"
    ),
    "test__test_environment": (
        "case when tests.test_environment_id is null then 'none'"
        " else coalesce(environments.title, 'unknown') end"
    ),
    "test__testing_type": "tests.testing_type",
    "test__status": "coalesce(tests.status, 'unknown')",
    "test__title": "coalesce(tests.title, 'unknown')",
    "test__created_by": "coalesce(tests.created_by, 'unknown')",
    "test__submitted_by": "coalesce(tests.submitted_by, 'not submitted')",
}
BUGS = TESTS | {
    "feature__title": (
        "case when bugs.feature_id is null then 'unattributed'"
        " else coalesce(features.title, 'unknown') end"
    ),
    "tester__name": "coalesce(bugs.tester_name, 'unknown')",
    "bug__severity": "coalesce(bugs.severity, 'unknown')",
    "bug__bug_type": "coalesce(bugs.bug_type, 'unknown')",
    "bug__status": "coalesce(bugs.status, 'unknown')",
    "bug__rejection_reason": (
        "case when not bugs.is_rejected then 'not rejected'"
        " else coalesce(bugs.rejection_reason, 'unknown') end"
    ),
    "bug__known_bug": (
        "case when bugs.is_known is null then 'unknown' when bugs.is_known then 'yes' else 'no' end"
    ),
    "bug__attribution": "coalesce(bugs.unattributed_because, 'attributed')",
    "bug__decided_at_basis": "coalesce(bugs.decided_at_basis, 'unknown')",
    "bug__reversal": "coalesce(bugs.reversal, 'none')",
    "bug__reported_on__day": "cast(bugs.reported_on as timestamp)",
    "bug__decided_on__day": "cast(bugs.decided_on as timestamp)",
    "bug__is_counted": "tests.is_executed and not tests.is_deleted",
    "bug__search_text": (
        "(select search_text from testio_marts.bug_search as found"
        " where found.customer_id = bugs.customer_id and found.bug_id = bugs.bug_id)"
    ),
}
PLATFORMS = BUGS | {
    f"platform__{name}": f"platforms.{name}"
    for name in (
        "device_category",
        "device_vendor",
        "device_name",
        "operating_system",
        "operating_system_version",
        "browser",
    )
}
FEATURES = TESTS | {
    "feature__title": (
        "case when listed.feature_id is null then 'no feature'"
        " else coalesce(features.title, 'unknown') end"
    ),
}
STATUSES = FEATURES | {
    "test_feature__execution_status": "coalesce(listed.execution_status, 'no feature')"
}
ACTIVITIES = TESTS | {
    "feature__title": (
        "case when activities.feature_id is null then 'unattributed'"
        " else coalesce(features.title, 'unknown') end"
    ),
    "tester__name": "coalesce(activities.tester_name, 'unknown')",
}
"""Each dimension in plain SQL, for what it is asked of."""

NAMES = """
    left join testio_marts.dim_products as products using (customer_id, product_id)
    left join testio_marts.dim_sections as sections
        on tests.customer_id = sections.customer_id and tests.section_id = sections.section_id
    left join testio_marts.dim_test_environments as environments
        on tests.customer_id = environments.customer_id
        and tests.test_environment_id = environments.test_environment_id
"""
NAMED_TESTS = (
    f"from (select * from testio_marts.dim_tests where not is_placeholder) as tests {NAMES}"
)
EXECUTED = "where tests.is_executed and not tests.is_deleted"


def of_features(relation: str) -> str:
    return (
        f"left join testio_marts.dim_features as features"
        f" on tests.customer_id = features.customer_id"
        f" and {relation}.feature_id = features.feature_id"
    )


def of_tests(relation: str) -> str:
    return f"on tests.customer_id = {relation}.customer_id and tests.test_id = {relation}.test_id"


ALL_BUGS = (
    f"{NAMED_TESTS} join testio_marts.fct_bugs as bugs {of_tests('bugs')} {of_features('bugs')}"
)
BUG = "bugs.customer_id, bugs.bug_id, bugs.severity_weight, bugs.is_known"
FLAGS = "bugs.is_accepted, bugs.is_auto_accepted, bugs.is_rejected, bugs.is_open"
LISTED = "listed.customer_id as of_customer, listed.test_feature_id, listed.feature_id"


class Oracle(NamedTuple):
    """Plain SQL for some metrics: each row of `rows` counts once, whatever it is grouped by."""

    dimensions: dict[str, str]
    rows: str
    source: str
    metrics: dict[str, str]


def rate(part: str, whole: str) -> str:
    return f"({part})::double / nullif({whole}, 0)"


def bugs_where(condition: str) -> str:
    return f"count(*) filter ({condition})"


ACCEPTED = "where is_accepted or is_auto_accepted"
DECIDED = "where is_accepted or is_auto_accepted or is_rejected"
REVERSED = f"{DECIDED.replace('where ', 'where (')}) and reversal_count > 0"
SEVERE = "where severity in ('critical', 'high')"
FUNCTIONAL = "where severity in ('critical', 'high', 'low')"
COUNTED_BUGS = {
    "bug_count": "count(*)",
    "accepted_bug_count": bugs_where("where is_accepted"),
    "auto_accepted_bug_count": bugs_where("where is_auto_accepted"),
    "any_accepted_bug_count": bugs_where(ACCEPTED),
    "rejected_bug_count": bugs_where("where is_rejected"),
    "reviewed_bug_count": bugs_where("where is_accepted or is_rejected"),
    "open_bug_count": bugs_where("where is_open"),
    "known_bug_count": bugs_where("where is_known"),
    "unattributed_bug_count": bugs_where("where test_feature_id is null"),
    "critical_bug_count": bugs_where("where severity = 'critical'"),
    "high_bug_count": bugs_where("where severity = 'high'"),
    "low_bug_count": bugs_where("where severity = 'low'"),
    "other_bug_count": bugs_where(
        "where coalesce(severity, '') not in ('critical', 'high', 'low')"
    ),
    "bug_severity_score": "sum(severity_weight)",
    "bug_authors": "count(distinct (customer_id, tester_name))"
    " filter (where tester_name is not null)",
    "overall_acceptance_rate": rate(bugs_where(ACCEPTED), "count(*)"),
    "active_acceptance_rate": rate(bugs_where("where is_accepted"), "count(*)"),
    "auto_acceptance_rate": rate(bugs_where("where is_auto_accepted"), bugs_where(ACCEPTED)),
    "rejection_rate": rate(bugs_where("where is_rejected"), "count(*)"),
    "review_rate": rate(bugs_where("where is_accepted or is_rejected"), "count(*)"),
    "known_bug_rate": rate(bugs_where("where is_known"), "count(*)"),
    "decided_bug_count": bugs_where(DECIDED),
    "severe_bug_count": bugs_where(SEVERE),
    "functional_bug_count": bugs_where(FUNCTIONAL),
    "acceptance_rate_of_decided": rate(bugs_where(ACCEPTED), bugs_where(DECIDED)),
    "active_acceptance_rate_of_decided": rate(bugs_where("where is_accepted"), bugs_where(DECIDED)),
    "rejection_rate_of_decided": rate(bugs_where("where is_rejected"), bugs_where(DECIDED)),
    "review_rate_of_decided": rate(
        bugs_where("where is_accepted or is_rejected"), bugs_where(DECIDED)
    ),
    "severe_bug_rate": rate(bugs_where(SEVERE), bugs_where(FUNCTIONAL)),
    "reversed_bug_count": bugs_where("where reversal_count > 0"),
    "reversed_decided_bug_count": bugs_where(REVERSED),
    "reversal_rate_of_decided": rate(bugs_where(REVERSED), bugs_where(DECIDED)),
    "new_bug_count": bugs_where("where is_new"),
    "auto_accepted_soon_bug_count": bugs_where("where is_auto_accepted_soon"),
    "unexported_critical_bug_count": bugs_where(
        "where severity = 'critical' and (is_accepted or is_auto_accepted) and exported_at is null"
    ),
}
ORACLES = [
    Oracle(
        BUGS,
        f"{BUG}, {FLAGS}, bugs.severity, bugs.tester_name, bugs.test_feature_id, bugs.exported_at,"
        " bugs.reversal_count, bugs.is_new, bugs.is_auto_accepted_soon",
        f"{ALL_BUGS} {EXECUTED}",
        COUNTED_BUGS,
    ),
    Oracle(
        PLATFORMS,
        f"{BUG}, {FLAGS}, bugs.severity",
        f"{ALL_BUGS} join testio_marts.bridge_bug_platforms as platforms"
        f" on bugs.customer_id = platforms.customer_id and bugs.bug_id = platforms.bug_id"
        f" {EXECUTED}",
        {
            f"platform_{metric}": COUNTED_BUGS[metric]
            for metric in (
                "bug_count",
                "any_accepted_bug_count",
                "rejected_bug_count",
                "known_bug_count",
                "critical_bug_count",
                "high_bug_count",
                "low_bug_count",
                "other_bug_count",
                "bug_severity_score",
                "overall_acceptance_rate",
                "rejection_rate",
                "known_bug_rate",
            )
        },
    ),
    Oracle(
        BUGS,
        "bugs.customer_id, bugs.bug_id, bugs.days_to_first_triage, bugs.days_to_decision,"
        " tests.is_executed and not tests.is_deleted as is_counted",
        ALL_BUGS,
        {
            "uncounted_bug_count": "count(*) filter (where not is_counted)",
            "median_days_to_triage": "median(days_to_first_triage) filter (where is_counted)",
            **{
                f"days_to_decision_p{percent}": f"percentile_disc({percent / 100}) within group"
                " (order by case when is_counted then days_to_decision end)"
                for percent in (50, 75, 90)
            },
        },
    ),
    Oracle(
        TESTS,
        "tests.customer_id, tests.test_id, tests.submitted_by",
        NAMED_TESTS,
        {"tests_created": "count(*)", "tests_submitted": "count(submitted_by)"},
    ),
    Oracle(
        STATUSES,
        "tests.customer_id, tests.test_id, listed.test_feature_id, listed.feature_id,"
        " listed.execution_status <> 'not_tested' as is_tested,"
        " listed.tested_user_story_count, listed.passed_user_story_count",
        f"{NAMED_TESTS} left join testio_marts.fct_test_features as listed {of_tests('listed')}"
        f" {of_features('listed')} {EXECUTED}",
        {
            "test_count": "count(distinct (customer_id, test_id))",
            "features_listed": "count(distinct (customer_id, feature_id))"
            " filter (where feature_id is not null)",
            "features_tested": "count(distinct (customer_id, feature_id)) filter (where is_tested)",
            "feature_coverage": rate(
                "count(distinct (customer_id, feature_id)) filter (where is_tested)",
                "count(distinct (customer_id, feature_id)) filter (where feature_id is not null)",
            ),
            "user_stories_tested": "coalesce(sum(tested_user_story_count), 0)",
            "user_stories_passed": "coalesce(sum(passed_user_story_count), 0)",
            "user_story_pass_rate": rate(
                "sum(passed_user_story_count)", "sum(tested_user_story_count)"
            ),
        },
    ),
    Oracle(
        ACTIVITIES,
        "activities.*",
        f"{NAMED_TESTS} join ("
        " select customer_id, test_id, feature_id, tester_name, bug_id as id, 0 as executions"
        " from testio_marts.fct_bugs union all"
        " select customer_id, test_id, feature_id, tester_name, execution_id, 1"
        " from testio_marts.fct_executions where has_result"
        f") as activities {of_tests('activities')} {of_features('activities')} {EXECUTED}",
        {
            "active_testers": "count(distinct (customer_id, tester_name))"
            " filter (where tester_name is not null)",
            "execution_count": "sum(executions)",
        },
    ),
    Oracle(
        TESTS
        | {
            "feature__title": "coalesce(features.title, 'unknown')",
            "feature_cycle__change": "history.change",
        },
        "history.customer_id as of_customer, history.feature_id, history.test_id,"
        " history.change, history.is_latest",
        f"{NAMED_TESTS} join testio_marts.fct_feature_history as history {of_tests('history')}"
        f" {of_features('history')}",
        {
            f"{change}_feature_count": f"count(*) filter (where is_latest and change = '{change}')"
            for change in ("regressed", "recovered", "ongoing_failed")
        },
    ),
    Oracle(
        TESTS
        | {
            "control_chart__measure": "charts.measure",
            "control_chart__signal": "coalesce(charts.signal, 'none')",
        },
        "charts.customer_id as of_customer, charts.test_id, charts.measure as of_measure,"
        " charts.signal, charts.is_judged",
        f"{NAMED_TESTS} join testio_marts.control_charts as charts {of_tests('charts')}",
        {
            "judged_cycle_count": "count(*) filter (where is_judged)",
            "control_signal_count": "count(signal)",
        },
    ),
    Oracle(
        {
            "catalogued_feature__customer": "features.customer_id",
            "catalogued_feature__product": "products.product_name",
            "catalogued_feature__title": "coalesce(features.title, 'unknown')",
        },
        "features.customer_id, features.feature_id, features.is_deleted, features.is_never_tested,"
        " features.is_untested_risk, features.is_hotspot",
        "from testio_marts.feature_quality as features"
        " join testio_marts.dim_products as products using (customer_id, product_id)",
        {
            "catalogued_feature_count": "count(*) filter (where not is_deleted)",
            "never_tested_feature_count": "count(*)"
            " filter (where is_never_tested and not is_deleted)",
            "untested_risk_feature_count": "count(*) filter (where is_untested_risk)",
            "hotspot_feature_count": "count(*) filter (where is_hotspot)",
        },
    ),
]
METRICS = {name for oracle in ORACLES for name in oracle.metrics} | {"bugs_per_test"}
Groups = dict[tuple[Any, ...], tuple[Any, ...]]


class Warehouse(NamedTuple):
    """A built warehouse of two customers, asked in either way."""

    metricflow: MetricFlowEngine
    client: SqlClient

    def plain(self, oracle: Oracle, metrics: list[str], dimensions: tuple[str, ...]) -> Groups:
        columns = [f"{oracle.dimensions[name]} as {name}" for name in dimensions]
        figures = [f"{oracle.metrics[name]} as {name}" for name in metrics]
        table = self.client.query(
            f"select {', '.join([*dimensions, *figures])} from"
            f" (select distinct {', '.join([*columns, oracle.rows])} {oracle.source}) as counted"
            + (f" group by {', '.join(dimensions)}" if dimensions else "")
        )
        return {tuple(row[: len(dimensions)]): tuple(row[len(dimensions) :]) for row in table.rows}

    def asked(self, metrics: list[str], dimensions: tuple[str, ...], *where: str) -> Groups:
        request = MetricFlowQueryRequest.create(
            metric_names=metrics, group_by_names=dimensions, where_constraints=where or None
        )
        table = self.metricflow.query(request).result_df
        assert table is not None
        places = [table.column_names.index(name) for name in (*dimensions, *metrics)]
        rows = [[row[place] for place in places] for row in table.rows]
        groups = {tuple(row[: len(dimensions)]): tuple(row[len(dimensions) :]) for row in rows}
        assert len(groups) == len(rows)
        return groups

    def dimensions_of(self, metric: str) -> set[str]:
        """Return what the metric can be grouped by, whichever entities lead there."""
        offered = self.metricflow.simple_dimensions_for_metrics([metric])
        return {
            "__".join(dimension.dunder_name.split("__")[-2:])
            for dimension in offered
            if dimension.type is DimensionType.CATEGORICAL
        }


@pytest.fixture(scope="module")
def warehouse_of_two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    folder = tmp_path_factory.mktemp("metrics")
    with built(folder, Account(seed=1), Account(seed=2, bugs=300)) as mf:
        yield Warehouse(mf.mf, mf.sql_client)


def same(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-12)


def differences(asked: Groups, plain: Groups, metrics: list[str]) -> list[str]:
    return [
        f"{metric} of {group}: mf gives {asked.get(group)}, SQL gives {plain.get(group)}"
        for group in asked.keys() | plain.keys()
        for place, metric in enumerate(metrics)
        if group not in asked
        or group not in plain
        or not same(asked[group][place], plain[group][place])
    ]


def is_time(dimension: str) -> bool:
    return dimension.startswith("metric_time") or dimension.endswith("__day")


def groupings(dimensions: dict[str, str]) -> list[tuple[str, ...]]:
    """Return no dimension, each alone, and some by two and by three, so that each is in several."""
    names = list(dimensions)
    around = itertools.cycle(names)
    ring = list(itertools.islice(around, len(names) + 12))
    return [
        (),
        *[(name,) for name in names],
        *[(ring[at], ring[at + 5]) for at in range(len(names))],
        *[(ring[at], ring[at + 4], ring[at + 11]) for at in range(0, len(names), 3)],
    ]


@pytest.mark.parametrize("oracle", ORACLES, ids=[next(iter(o.metrics)) for o in ORACLES])
def test_a_metric_is_what_plain_sql_gives_by_each_dimension(
    oracle: Oracle, warehouse_of_two: Warehouse
) -> None:
    metrics = list(oracle.metrics)
    for metric in metrics:
        known = {name for name in oracle.dimensions if not is_time(name)}
        assert (metric, warehouse_of_two.dimensions_of(metric)) == (metric, known)
    for dimensions in groupings(oracle.dimensions):
        asked = warehouse_of_two.asked(metrics, dimensions)
        plain = warehouse_of_two.plain(oracle, metrics, dimensions)
        assert plain
        assert differences(asked, plain, metrics) == [], dimensions


@pytest.mark.parametrize("oracle", ORACLES, ids=[next(iter(o.metrics)) for o in ORACLES])
def test_a_filter_leaves_what_the_group_has(oracle: Oracle, warehouse_of_two: Warehouse) -> None:
    metrics = list(oracle.metrics)
    for name in oracle.dimensions:
        # MetricFlow changes line breaks within the text of a filter.
        if is_time(name) or name == "bug__search_text":
            continue
        (value,), figures = max(
            warehouse_of_two.plain(oracle, metrics, (name,)).items(), key=lambda item: item[1][0]
        )
        text = str(value).replace("'", "''")
        where = f"{{{{ Dimension('{name}') }}}} = '{text}'"
        asked = warehouse_of_two.asked(metrics, (), where)
        assert differences(asked, {(): figures}, metrics) == [], where


def test_bugs_per_test_divides_the_one_by_the_other(warehouse_of_two: Warehouse) -> None:
    bugs, _, _, _, tests, *_ = ORACLES
    both = [name for name in tests.dimensions if name in bugs.dimensions]
    assert warehouse_of_two.dimensions_of("bugs_per_test") == {
        name for name in both if not is_time(name)
    }
    for dimensions in groupings(dict.fromkeys(both, "")):
        bug_counts = warehouse_of_two.plain(bugs, ["bug_count"], dimensions)
        test_counts = warehouse_of_two.plain(tests, ["test_count"], dimensions)
        plain = {
            group: (
                (bug_counts.get(group, (0,))[0] / test_counts[group][0],)
                if group in test_counts
                else (None,),
            )[0]
            for group in bug_counts.keys() | test_counts.keys()
        }
        asked = warehouse_of_two.asked(["bugs_per_test"], dimensions)
        assert differences(asked, plain, ["bugs_per_test"]) == [], dimensions


PRODUCT_MONTHS = """
    select quality.customer_id, products.product_name, cast(period_start_on as timestamp), {}
    from testio_marts.product_quality as quality
    join testio_marts.dim_products as products using (customer_id, product_id)
    where period_type = 'month'
"""
COUNTS = [
    "bug_count",
    "accepted_bug_count",
    "auto_accepted_bug_count",
    "rejected_bug_count",
    "decided_bug_count",
    "open_bug_count",
    "known_bug_count",
    "unattributed_bug_count",
    "critical_bug_count",
    "high_bug_count",
    "low_bug_count",
    "bug_severity_score",
]
RATES = [
    "overall_acceptance_rate",
    "active_acceptance_rate",
    "auto_acceptance_rate",
    "rejection_rate",
    "review_rate",
    "known_bug_rate",
    "acceptance_rate_of_decided",
    "active_acceptance_rate_of_decided",
    "rejection_rate_of_decided",
    "review_rate_of_decided",
    "severe_bug_rate",
]


@pytest.mark.parametrize(
    ("sql", "dimensions", "metrics"),
    [
        (
            PRODUCT_MONTHS,
            ("test__customer", "test__product", "metric_time__month"),
            ["test_count", "bugs_per_test", *COUNTS, *RATES],
        ),
        (
            "select customer_id || '/' || test_id, {} from testio_marts.test_quality",
            ("test",),
            ["feature_coverage", "user_story_pass_rate", *COUNTS, *RATES],
        ),
        (
            "select customer_id || '/' || feature_id, {} from testio_marts.feature_quality"
            " where test_count > 0",
            ("feature",),
            ["test_count", "bugs_per_test", "user_story_pass_rate", *COUNTS, *RATES],
        ),
        (
            "select customer_id || '/' || tester_name, {} from testio_marts.tester_quality",
            ("tester",),
            [*COUNTS, *RATES],
        ),
    ],
    ids=["product_quality", "test_quality", "feature_quality", "tester_quality"],
)
def test_a_quality_mart_has_the_same_figures(
    sql: str, dimensions: tuple[str, ...], metrics: list[str], warehouse_of_two: Warehouse
) -> None:
    # MetricFlow fills no metric that it derives: its score of no bugs is null where a mart has 0.
    columns = [f"nullif({name}, 0)" if name == "bug_severity_score" else name for name in metrics]
    rows = warehouse_of_two.client.query(sql.format(", ".join(columns))).rows
    size = len(dimensions)
    mart = {tuple(row[:size]): tuple(row[size:]) for row in rows}
    assert mart
    asked = warehouse_of_two.asked(metrics, dimensions)
    assert differences({group: asked[group] for group in mart}, mart, metrics) == []


def test_each_metric_that_is_compared_exists(warehouse_of_two: Warehouse) -> None:
    assert {metric.name for metric in warehouse_of_two.metricflow.list_metrics()} >= METRICS


def test_a_saved_query_answers(warehouse_of_two: Warehouse) -> None:
    names = [query.name for query in warehouse_of_two.metricflow.list_saved_queries()]
    assert len(names) >= 6
    for name in names:
        request = MetricFlowQueryRequest.create(saved_query_name=name)
        table = warehouse_of_two.metricflow.query(request).result_df
        assert table is not None
        assert table.rows
