"""The calendar has sensible days; severity weights may be fractions."""

import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from commands import run_dbt
from conftest import Loaded

pytestmark = pytest.mark.slow

_TIMES = ("end_at", "start_at", "reported_at", "exported_at", "executed_at")
_ODD = (
    "2999-12-31T23:59:59-14:00",
    "1000-01-01T00:00:00+14:00",
    "2009-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z",
)
_WEIGHTS = "{severity_weight_low: 0.5, severity_weight_critical: '7.25'}"


@pytest.fixture(scope="module")
def odd(undisturbed: Loaded, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built warehouse in which four records of each kind have odd times."""
    path = tmp_path_factory.mktemp("odd") / "warehouse.duckdb"
    shutil.copy(undisturbed.path, path)
    with duckdb.connect(str(path)) as connection:
        for table in ("tests", "bugs", "executions", "test_case_results"):
            for time in _TIMES:
                dated = f"select id from testio_raw.{table} where json_exists(payload, '$.{time}')"
                ids = connection.execute(f"{dated} order by id limit {len(_ODD)}").fetchall()
                for (id_,), odd in zip(ids, _ODD, strict=False):
                    connection.execute(
                        f"update testio_raw.{table}"
                        " set payload = json_merge_patch(payload, ?) where id = ?",
                        [json.dumps({time: odd}), id_],
                    )
    run_dbt(path, "build", "--exclude-resource-type", "unit_test", "--vars", _WEIGHTS)
    return path


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_odd_times_make_the_calendar_no_longer(odd: Path) -> None:
    """Issue 15, row 6: one test that ends in 2999 does not make 356,842 days."""
    days = "select count(*), min(date_day), max(date_day) from testio_marts.dim_dates where"
    ((count, first, last),) = rows(odd, f"{days} not is_placeholder")
    assert count == (last - first).days + 1
    assert (first.isoformat(), last.isoformat()[4:]) == ("2010-01-01", "-12-31")
    assert rows(odd, f"{days} is_placeholder")[0][0] == 1


def test_a_time_outside_the_calendar_is_kept_and_named(odd: Path) -> None:
    """Issue 15, row 6: it has the placeholder's day; year 1 is no time, and named as such."""
    named = rows(
        odd,
        "select distinct model_name, column_name, year(moment)"
        " from testio_audit.audit_out_of_range_times",
    )
    assert {
        (model, column, year)
        for model, column in (
            ("dim_tests", "end_at"),
            ("dim_tests", "start_at"),
            ("fct_bugs", "reported_at"),
            ("fct_executions", "executed_at"),
        )
        for year in (3000, 999, 2009)
    } <= set(named)
    kept = (
        "select count(*) from testio_marts.dim_tests"
        " inner join testio_marts.dim_dates as dates on end_on = date_day"
        " where dates.is_placeholder and year(end_at) in (3000, 999, 2009)"
    )
    assert rows(odd, kept) == [(3,)]
    unfit = "select count(*) from testio_audit.audit_unfit_values where model_name = 'stg_tests'"
    assert rows(odd, unfit) == [(1,)]


def test_no_period_and_no_metric_is_outside_the_calendar(odd: Path) -> None:
    """Issue 15, row 6: quality marts have no row for the year 2999."""
    outside = "where extract(year from {}) not between 2010 and 2100"
    for table, column in (
        ("testio_marts.product_quality", "period_start_on"),
        ("testio_marts.wide_tests", "ended_on"),
        ("testio_semantic.semantic_dates", "date_day"),
    ):
        assert rows(odd, f"select * from {table} {outside.format(column)}") == []


def test_an_iso_week_has_its_iso_year(odd: Path) -> None:
    """Issue 15, row 10: the days around New Year make one week of seven days."""
    sql = (
        "select date_day, iso_year_number, iso_week_number from testio_marts.dim_dates"
        " where date_day in ('2024-12-30', '2027-01-01') order by date_day"
    )
    assert [row[1:] for row in rows(odd, sql)] == [(2025, 1), (2026, 53)]
    weeks = (
        "select count(*) from testio_marts.dim_dates where not is_placeholder"
        " and week_start_on between '2010-01-04' and '2027-12-01'"
        " group by iso_year_number, iso_week_number having count(*) <> 7"
    )
    assert rows(odd, weeks) == []
    wrong = (
        "select date_day from testio_marts.dim_dates"
        " where (iso_year_number, iso_week_number) <> (isoyear(date_day), weekofyear(date_day))"
    )
    assert rows(odd, wrong) == []


def test_severity_weights_may_be_fractions(odd: Path) -> None:
    """Issue 15, row 9: a low bug counts a half, exactly, in every mart."""
    weights = "select distinct severity, severity_weight from testio_marts.fct_bugs"
    found = dict(rows(odd, weights))
    assert (found["low"], found["critical"], found["high"]) == (Decimal("0.5"), Decimal("7.25"), 3)
    by_hand = (
        "select sum(case severity when 'low' then 0.5 when 'critical' then 7.25"
        " when 'high' then 3 else 1 end)"
        " from testio_marts.fct_bugs"
    )
    ((expected,),) = rows(odd, by_hand)
    in_marts = "select sum(bug_severity_score) from testio_marts.{}"
    attributed = f"{by_hand} where test_feature_id is not null"
    assert rows(odd, in_marts.format("fct_test_features")) == rows(odd, attributed)
    assert expected % 1 != 0 or rows(odd, attributed)[0][0] % 1 != 0
    executed = f"{by_hand} semi join testio_marts.test_quality using (customer_id, test_id)"
    assert rows(odd, in_marts.format("test_quality")) == rows(odd, executed)
