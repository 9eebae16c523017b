"""Oracles compute the same ten marts; compiled SQL in one connection makes the same marts."""

import json
import shutil
from pathlib import Path

import duckdb
import history_oracle
import oracle
import pytest
import triage_oracle
from benchmarks import build
from benchmarks.floor import run_floor
from commands import run_dbt
from conftest import CUSTOMER_ID, SETTINGS

from testio_loader.customers import Customer
from testio_loader.land import pipeline
from testio_loader.warehouses.duckdb_file import DuckDbFile
from testio_sandbox import TOKEN, Account, serve
from testio_sandbox.changes import a_day

pytestmark = pytest.mark.slow

VARS = {
    "severity_weight_critical": 8,
    "severity_weight_high": 2.5,
    "severity_weight_low": 0.5,
    "severity_weight_other": 0,
    "rejection_rate_healthy_below": 0.25,
    "rejection_rate_critical_above": 0.5,
    "auto_acceptance_rate_healthy_below": 0.3,
    "auto_acceptance_rate_critical_above": 0.6,
    "review_rate_healthy_above": 0.5,
    "review_rate_critical_below": 0.3,
    "active_acceptance_rate_healthy_from": 0.15,
    "active_acceptance_rate_critical_below": 0.05,
    "health_minimum_decided_bugs": 5,
    "hotspot_bug_share": 0.5,
    "untested_risk_days": 200,
    "control_chart_cycles": 9,
    "control_chart_minimum_cycles": 5,
    "control_chart_run": 2,
    "calendar_first_year": 1999,
    "calendar_years_ahead": 1,
}
_OTHER_CUSTOMER = CUSTOMER_ID + 1
_THE_SECOND_OF_EACH_LIST_IS_GONE = f"""
update testio_raw.ledger
set ids = to_json(list_filter(from_json(ids, '["BIGINT"]'), lambda id, place: place <> 2))
where
    endpoint <> 'reject_reasons'
    and _dlt_load_id = (
        select max(_dlt_load_id) from testio_raw.ledger where customer_id = {_OTHER_CUSTOMER}
    )
"""


@pytest.fixture(scope="module")
def landed(battered: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One customer with odd values everywhere, and one with many bugs and deleted records."""
    path = tmp_path_factory.mktemp("landed") / "warehouse.duckdb"
    shutil.copy(battered, path)
    account = Account(products=3, tests=60, bugs=600)
    with pytest.MonkeyPatch.context() as monkeypatch, serve(account) as sandbox:
        for name, value in SETTINGS.items():
            monkeypatch.setenv(name, value)
        for day in range(3):
            a_day(account, day)
            customer = Customer("other", _OTHER_CUSTOMER, TOKEN, sandbox.url)
            assert not pipeline.load(DuckDbFile(path), customer).problems
    with duckdb.connect(str(path)) as connection:
        connection.execute(_THE_SECOND_OF_EACH_LIST_IS_GONE)
    return path


@pytest.fixture(scope="module")
def built(landed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("built") / landed.name
    shutil.copy(landed, path)
    run_dbt(path, "run", "--select", "+marts", "--vars", json.dumps(VARS))
    return path


def test_four_marts_are_what_the_oracle_computes_with_the_same_vars(built: Path) -> None:
    assert oracle.differences(built, VARS) == []


def test_four_marts_of_history_are_what_their_oracle_computes_with_the_same_vars(
    built: Path,
) -> None:
    assert history_oracle.differences(built, VARS) == []
    with duckdb.connect(str(built), read_only=True) as connection:
        for mart, column in (
            ("fct_feature_history", "change"),
            ("control_charts", "signal"),
            ("feature_quality", "is_untested_risk"),
        ):
            values = connection.execute(f"select distinct {column} from testio_marts.{mart}")
            assert len(values.fetchall()) > 1


def test_two_marts_of_triage_are_what_their_oracle_computes(built: Path, warehouse: Path) -> None:
    assert triage_oracle.differences(built, VARS) == []
    shutil.copy(built, warehouse)
    with duckdb.connect(str(warehouse)) as connection:
        for mart, column in (
            ("triage_quality", "days_to_decision_p90"),
            ("bug_flow", "waiting_bug_count"),
        ):
            connection.execute(
                f"update testio_marts.{mart} set {column} = {column} + 1 where rowid ="
                f" (select min(rowid) from testio_marts.{mart} where {column} is not null)"
            )
    found = triage_oracle.differences(warehouse, VARS)
    assert [line.split()[0] for line in found] == list(triage_oracle.KEYS)


def test_the_oracle_of_history_notices_each_change(built: Path, warehouse: Path) -> None:
    shutil.copy(built, warehouse)
    with duckdb.connect(str(warehouse)) as connection:
        for mart, column in (
            ("fct_feature_history", "bug_count"),
            ("feature_quality", "bug_rank"),
            ("fct_test_comparisons", "regressed_feature_count"),
            ("control_charts", "upper_limit"),
        ):
            connection.execute(
                f"update testio_marts.{mart} set {column} = {column} + 1 where rowid ="
                f" (select min(rowid) from testio_marts.{mart} where {column} is not null)"
            )
    found = history_oracle.differences(warehouse, VARS)
    assert [line.split()[0] for line in found] == list(history_oracle.KEYS)


def test_the_oracle_notices_each_change_but_a_new_column(built: Path, warehouse: Path) -> None:
    shutil.copy(built, warehouse)
    with duckdb.connect(str(warehouse)) as connection:
        for mart in oracle.KEYS:
            connection.execute(f"alter table testio_marts.{mart} add column new_column text")
    assert oracle.differences(warehouse, VARS) == []
    with duckdb.connect(str(warehouse)) as connection:
        for mart, column in (
            ("fct_bugs", "attachment_count"),
            ("fct_test_features", "tester_count"),
            ("product_quality", "test_count"),
        ):
            connection.execute(
                f"update testio_marts.{mart} set {column} = {column} + 1"
                f" where rowid = (select min(rowid) from testio_marts.{mart})"
            )
        connection.execute(
            "delete from testio_marts.fct_bug_status_changes"
            " where rowid = (select min(rowid) from testio_marts.fct_bug_status_changes)"
        )
    found = oracle.differences(warehouse, VARS)
    assert [line.split()[0] for line in found] == list(oracle.KEYS)


def test_the_benchmark_ends_if_the_oracle_differs(built: Path) -> None:
    with pytest.raises(SystemExit, match=r"severity_weight is (.|\n)*differences"):
        build.check(built)  # expects the vars of dbt_project.yml


def test_the_compiled_sql_makes_all_marts_in_one_connection(
    landed: Path, built: Path, warehouse: Path
) -> None:
    shutil.copy(landed, warehouse)
    assert run_floor(warehouse, built.parent / "target" / "manifest.json") > 0
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        connection.execute(f"attach '{built}' as built (read_only)")
        columns: dict[str, list[str]] = {}
        for mart, column in connection.execute(
            "select table_name, column_name from duckdb_columns()"
            " where database_name = 'built' and schema_name = 'testio_marts'"
        ).fetchall():
            columns.setdefault(mart, []).append(column)
        assert len(columns) > 20
        for mart, names in columns.items():
            ours, theirs = (
                f"select {', '.join(names)} from {database}testio_marts.{mart}"
                for database in ("", "built.")
            )
            different = f"({ours} except all {theirs}) union all ({theirs} except all {ours})"
            assert connection.execute(f"{different} limit 1").fetchall() == [], mart
