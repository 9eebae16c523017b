"""dbt says in one line what is missing or set wrongly, before it builds anything."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import duckdb
import pytest
import yaml
from commands import PROJECT, reader_of, run_dbt
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.environments import Environment

pytestmark = pytest.mark.slow

_REMEDY = "Run `testio-loader load` first"


def _message(printed: str) -> str:
    """Return the one line that dbt printed beside its own heading and the names of macros."""
    lines = [line.strip() for line in printed.splitlines()]
    (message,) = (
        line
        for line in lines
        if line and not line.startswith("> ") and " error" not in line and "Error" not in line
    )
    return message


def test_nothing_is_built_before_the_first_load(warehouse: Path) -> None:
    """Issue 15, messages: `dbt build` before any load says so in one line."""
    assert _REMEDY in _message(run_dbt(warehouse, "build", status=2))


def test_a_load_that_was_not_completed_is_none(loaded: Path) -> None:
    """Issue 15, messages: tables without a completed load are no data."""
    with duckdb.connect(str(loaded)) as connection:
        connection.execute("update testio_raw._dlt_loads set status = 1")
    assert _REMEDY in _message(run_dbt(loaded, "test", "--select", "fct_bugs", status=2))


def test_what_builds_nothing_needs_no_load(warehouse: Path) -> None:
    """Issue 15, messages: parse, compile and docs work without a warehouse."""
    run_dbt(warehouse, "parse")
    run_dbt(warehouse, "compile", "--select", "fct_bugs")
    run_dbt(warehouse, "docs", "generate", "--select", "fct_bugs")


def test_a_var_without_a_sensible_value_is_refused(warehouse: Path) -> None:
    """Issue 15, row 9: a weight that is no number or is negative, and the like."""
    values = {
        "severity_weight_critical": "lots",
        "severity_weight_high": -1,
        "severity_weight_low": 0.12345,
        "severity_weight_other": None,
        "rejection_rate_healthy_below": 20,
        "review_rate_critical_below": "-0.1",
        "tester_minimum_bugs": 2.5,
        "auto_acceptance_days": -1,
        "auto_acceptance_warning_days": "soon",
        "bug_url_template": "https://example.com/'{bug_id}",
        "test_url_template": "example.com/{test_id}",
        "health_minimum_decided_bugs": 0,
        "hotspot_bug_share": 80,
        "untested_risk_days": -90,
        "control_chart_cycles": 4,
        "control_chart_minimum_cycles": "few",
        "control_chart_run": 1,
        "calendar_first_year": 1500,
        "calendar_years_ahead": True,
    }
    message = _message(run_dbt(warehouse, "parse", "--vars", str(values), status=2))
    for name, value in values.items():
        assert f"{name} must be " in message
        assert f", not {value}" in message


def test_thresholds_that_contradict_each_other_are_refused(warehouse: Path) -> None:
    """Issue 15, row 9: nothing can be healthy below 50 % and critical above 35 %."""
    vars_ = "{rejection_rate_healthy_below: 0.5}"
    message = _message(run_dbt(warehouse, "parse", "--vars", vars_, status=2))
    assert "rejection_rate_healthy_below must be at most rejection_rate_critical_above" in message


def test_who_only_looks_into_the_file_does_not_stop_a_build(loaded: Path) -> None:
    """`status`, `check` and `publish` open it for a moment, maybe when dbt opens it again."""
    profile = yaml.safe_load((PROJECT / "profiles.yml.example").read_text())
    dev = profile["testio"]["outputs"]["dev"] | {"path": str(loaded), "database": loaded.stem}
    with reader_of(loaded) as pid, ThreadPoolExecutor(1) as pool:
        credentials = DuckDBCredentials.from_dict(dev)
        connecting = pool.submit(Environment.initialize_db, credentials, {})
        wait([connecting], timeout=1.5)
        os.kill(pid, signal.SIGKILL)
        connecting.result().close()
