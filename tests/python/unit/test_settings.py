"""Settings that cannot be right are named, by `check` and before anything is loaded."""

import inspect
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from commands import PROJECT, run, run_apart
from conftest import configured
from test_customer_names import _files_of_this_test_only, files  # noqa: F401 - a fixture

from testio_loader import settings
from testio_loader.api.transport import CallLimits
from testio_loader.errors import ConfigurationError
from testio_loader.settings import NUMBERS, Number
from testio_loader.source import testio as source
from testio_loader.warehouses.postgres_session import Limits
from testio_sandbox import Account, serve


@pytest.fixture(autouse=True)
def _sandbox(account: Account, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with serve(account) as sandbox:
        for name, value in configured(sandbox.url).items():
            monkeypatch.setenv(name, value)
        yield


def variable(number: Number) -> str:
    return f"{number.section}.{number.name}".upper().replace(".", "__")


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.name)
def test_a_number_that_cannot_be_right_is_named_before_anything_is_made(
    number: Number, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Issue 15, Messages: each setting is checked for its type and its range."""
    values = ["abc", "nan", "-1", "1;2", "inf", "true", "", "²"]
    values += ["0"] if number.is_above else []
    values += ["1.5", "1e2", "0"] if number.is_whole else []
    for value in values:
        monkeypatch.setenv(variable(number), value)
        assert [problem.partition(" is ")[0] for problem in settings.wrong()] == [number.name]
    done = run("load", status=2)
    assert f"{number.name} is {value!r}: set {variable(number)} to a " in done.stderr
    assert done.stderr.count("\n") == 1
    assert f"settings: {number.name} is {value!r}" in run("check", status=1).stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.name)
def test_a_number_that_can_be_right_is_taken(
    number: Number, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 15, Messages."""
    for value in ("1", "7", "+3", " 20 ", *(() if number.is_whole else ("0.5", "1e2"))):
        monkeypatch.setenv(variable(number), value)
        assert list(settings.wrong()) == []


def test_check_names_all_that_is_wrong_and_the_load_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Issue 15, Messages."""
    monkeypatch.setenv("SOURCES__TESTIO__MAX_IN_FLIGHT", "0")
    monkeypatch.setenv("SOURCES__TESTIO__SETTLING_DAYS", "a month")
    printed = run_apart("check", status=1)
    assert printed.count("not ok") == 2
    assert "not ok  settings: max_in_flight is " in printed
    assert "not ok  settings: settling_days is 'a month': set " in printed
    done = run("load", "--dry-run", status=2)
    assert "max_in_flight" in done.stderr
    assert "settling_days" in done.stderr


@pytest.mark.parametrize(
    "values",
    [{"max_in_flight": 0}, {"settling_days": -1.0}, {"max_age_days": float("nan")}],
    ids=str,
)
def test_who_uses_the_source_itself_is_told_as_well(values: dict[str, Any]) -> None:
    """Issue 15, Messages."""
    (name,) = values
    with pytest.raises(ConfigurationError, match=f"{name} is "):
        source(api_token="t", customer_id=1, **values)


def test_a_name_in_the_environment_that_sets_nothing_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Issue 15, Messages: slips of the pen."""
    assert list(settings.unknown()) == []
    monkeypatch.setenv("SOURCES__TESTIO__MAX_AGE_DAY", "3")
    monkeypatch.setenv("SOURCES__TESTIO__CUSTOMERS__ACME__API_TOKN", "s3cr3t")
    monkeypatch.setenv("SOURCES__TESTIO__EXTRACT__WORKERS", "2")
    printed = run("check", status=1).stdout
    assert "unknown setting SOURCES__TESTIO__MAX_AGE_DAY; did you mean max_age_days?" in printed
    assert "SOURCES__TESTIO__CUSTOMERS__ACME__API_TOKN; did you mean api_token?" in printed
    assert printed.count("not ok  settings") == 2
    assert "s3cr3t" not in printed


def test_a_name_in_a_file_that_sets_nothing_is_named() -> None:
    """Issue 15, Messages: slips of the pen."""
    files(
        config="[sources.testio]\nmax_inflight = 3\nsettling_days = 3\n"
        "[sources.testio.customer.acme]\ncustomer_id = 1\n[sources.other]\nx = 1\n"
        "[sources.testio.extract]\nworkers = 2\n",
        secrets="[sources.testio.customers.acme]\ntoken = 's3cr3t'\n"
        "[sources.testio.customers]\nbeta = 's3cr3t'\n",
    )
    assert sorted(settings.unknown()) == [
        "sources.testio.customers.beta is not a section: write [sources.testio.customers.beta] "
        "and its settings below it",
        "unknown setting customer in [sources.testio]; did you mean customers?",
        "unknown setting max_inflight in [sources.testio]; did you mean max_in_flight?",
        "unknown setting token in [sources.testio.customers.acme]; did you mean api_token?",
    ]


def test_every_setting_is_known_and_documented() -> None:
    """Issue 15, Messages: who adds one is reminded to say how it can be wrong, and what it does."""
    given = {"product_ids", "test_ids", "known", "record_to", "replay_from", "counts"}
    of_source = {
        name
        for name in inspect.signature(source).parameters
        if name not in given and not name.startswith("accept_")
    }
    others = {field.name for spec in (CallLimits, Limits) for field in fields(spec)}
    others = {name for name in others if not name.startswith("_")}
    assert of_source | others | {"duckdb_memory_limit"} == settings.KNOWN
    text = (PROJECT / "README.md").read_text() + (PROJECT / "docs" / "engines.md").read_text()
    for name in settings.KNOWN:
        assert f"SOURCES__TESTIO__{name.upper()}" in text, name
