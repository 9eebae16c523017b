"""What users of any connector expect, asked of this one: spec, check, streams, keys, state.

In the spirit of the acceptance tests of Airbyte and of the Singer SDK.
"""

import inspect
import re
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest
import raw
from click.testing import CliRunner
from commands import PROJECT
from conftest import CUSTOMER_ID, Loaded, load_undisturbed

from testio_loader import clock, settings, source
from testio_loader.api.endpoints import ENDPOINTS, TABLES, Endpoint
from testio_loader.commands.cli import main
from testio_loader.customers import Customer
from testio_loader.land import pipeline
from testio_loader.land.ledger import ledger_of
from testio_loader.read import crawler as reader
from testio_loader.warehouses.duckdb_file import DuckDbFile
from testio_sandbox import TOKEN, Account, serve
from testio_sandbox.changes import a_day

Select = Callable[[str], list[tuple[Any, ...]]]
Load = Callable[..., pipeline.LoadReport]
TYPES = {
    "bigint": "BIGINT",
    "text": "VARCHAR",
    "bool": "BOOLEAN",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
}


class Calendar:
    """Lets loads happen later than now."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.later = timedelta()
        monkeypatch.setattr(clock, "now", self.now)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.later


@pytest.fixture
def calendar(monkeypatch: pytest.MonkeyPatch) -> Calendar:
    return Calendar(monkeypatch)


def larger_account() -> Account:
    """More tests than an account has that is simply read whole."""
    return Account(products=3, tests=205, bugs=200, today=date.today())  # noqa: DTZ011


def calls(report: pipeline.LoadReport, *endpoints: str) -> int:
    return sum(e.calls for e in report.endpoints if not endpoints or e.endpoint in endpoints)


# Spec and check


def test_what_the_readme_says_can_be_configured_can_be() -> None:
    readme = (PROJECT / "README.md").read_text()
    names = re.findall(r"SOURCES__TESTIO__(?:CUSTOMERS__[A-Z]+__)?([A-Z_]+)", readme)
    assert {"API_TOKEN", "CUSTOMER_ID", "SETTLING_DAYS", "MAX_AGE_DAYS"} <= set(names)
    assert {name.lower() for name in names} <= settings.KNOWN


def test_each_setting_has_a_meaning_that_is_told() -> None:
    told = re.findall(r"^ {8}(\w+): ", source.testio.__doc__ or "", re.M)
    assert set(told) == set(inspect.signature(source.testio).parameters)


def test_check_tells_a_good_token_from_a_bad_one(customer: Customer) -> None:
    def check(token: str) -> tuple[int, str]:
        environment = {
            "SOURCES__TESTIO__API_TOKEN": token,
            "SOURCES__TESTIO__CUSTOMER_ID": "7",
            "SOURCES__TESTIO__BASE_URL": customer.base_url,
        }
        result = CliRunner().invoke(main, ["check"], env=environment)
        return result.exit_code, result.output

    good, bad = check(TOKEN), check("stolen")
    assert (good[0], bad[0]) == (0, 1)
    assert "3 products" in good[1]
    assert "refuses the token" in bad[1]
    assert "stolen" not in bad[1]


# Streams


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_a_stream_has_records_each_with_a_key_of_its_own(
    endpoint: Endpoint, loaded: Path, select: Select
) -> None:
    rows = select(
        f"select count(*), count(customer_id), count(id), count(distinct (customer_id, id)) "
        f"from testio_raw.{endpoint.name} where _dlt_valid_to is null"
    )
    assert rows[0][0] > 0
    assert len(set(rows[0])) == 1


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_raw_table_has_the_columns_it_declares(table: Any, loaded: Path, select: Select) -> None:
    found = {
        name: (kind, is_nullable == "YES")
        for name, kind, is_nullable in select(
            "select column_name, data_type, is_nullable from information_schema.columns "
            f"where table_schema = 'testio_raw' and table_name = '{table.name}' "
            "and not starts_with(column_name, '_dlt')"
        )
    }
    assert found == {
        name: (TYPES[kind], name not in table.required) for name, kind in table.columns.items()
    }


def test_payloads_are_json_that_says_the_same_id(loaded: Path, select: Select) -> None:
    for endpoint in ENDPOINTS:
        for id_, payload in select(f"select id, payload from testio_raw.{endpoint.name}"):
            record = orjson.loads(payload)
            assert str(record.get(endpoint.id_field, id_)) == str(id_)


# Full and incremental


def test_two_full_loads_are_identical(load: Load, loaded: Path, warehouse: Path) -> None:
    before = raw.read(warehouse)
    report = load(is_full=True)
    assert sum(endpoint.versions for endpoint in report.endpoints) == 0
    assert raw.differences(raw.read(warehouse), before) == []


def test_incremental_loads_after_changes_equal_a_full_load(
    warehouse: Path, calendar: Calendar, tmp_path: Path
) -> None:
    account = larger_account()
    products = account("/products", {}).json()["products"]
    with serve(account) as sandbox:
        customer = Customer("acme", CUSTOMER_ID, TOKEN, sandbox.url)
        full = pipeline.load(DuckDbFile(warehouse), customer)
        for day in range(1, 3):
            a_day(account, day)
            if day == 2:  # settled tests, which are not read again, quote the names they know
                for product in products:
                    account.change("products", product["id"], name=product["name"])
            calendar.later += timedelta(hours=2)
            report = pipeline.load(DuckDbFile(warehouse), customer)
            assert not report.problems
            assert calls(report) < calls(full) / 2
    expected = load_undisturbed(account, tmp_path / "undisturbed.duckdb").raw
    landed = raw.read(warehouse)
    present = {scope: orjson.loads(ids) for scope, ids in expected.present.items()}
    assert {scope: orjson.loads(landed.present[scope]) for scope in present} == present
    for endpoint, rows in expected.current.items():
        # What has been removed since stays in the warehouse; there is no more of it than that.
        assert rows - landed.current[endpoint] == Counter(), endpoint


def test_nothing_grows_older_than_it_may(warehouse: Path, calendar: Calendar) -> None:
    with serve(larger_account()) as sandbox:
        customer = Customer("acme", CUSTOMER_ID, TOKEN, sandbox.url)
        most = calls(pipeline.load(DuckDbFile(warehouse), customer))
        counts = []
        for _ in range(7):
            calendar.later += timedelta(days=1)
            counts.append(calls(pipeline.load(DuckDbFile(warehouse), customer)))
            ledger = ledger_of(DuckDbFile(warehouse))
            assert ledger
            (status,) = ledger.customers()
            assert status.unread_tests == 0
            assert status.oldest_read_at
            assert calendar.now() - status.oldest_read_at < timedelta(days=7)
    assert counts[0] < most / 2
    assert max(counts) < most  # a slice at each load, never all at once


@pytest.mark.parametrize(("enough", "is_begun_first"), [(1, False), (1000, True)])
def test_a_product_is_begun_when_little_waits(
    enough: int, is_begun_first: bool, warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_MAX_WAITING", enough)
    with serve(Account(products=6, tests=60, bugs=20)) as sandbox:
        pipeline.load(DuckDbFile(warehouse), Customer("acme", CUSTOMER_ID, TOKEN, sandbox.url))
        asked = [(path, query.get("page")) for path, query in sandbox.requests]
    begun = [at for at, (path, page) in enumerate(asked) if page == ["1"] and "/products/" in path]
    details = [at for at, (path, _) in enumerate(asked) if path.startswith("/exploratory_tests/")]
    assert (begun[5] < details[0]) == is_begun_first


def test_no_question_is_asked_twice(warehouse: Path) -> None:
    account = Account(products=3, tests=60, bugs=200)
    with serve(account) as sandbox:
        pipeline.load(DuckDbFile(warehouse), Customer("acme", CUSTOMER_ID, TOKEN, sandbox.url))
        asked = [(path, str(query)) for path, query in sandbox.requests]
    assert len(asked) == len(set(asked))


# State


def test_state_survives_the_loss_of_the_working_directory(
    warehouse: Path, calendar: Calendar
) -> None:
    with serve(larger_account()) as sandbox:
        customer = Customer("acme", CUSTOMER_ID, TOKEN, sandbox.url)
        full = pipeline.load(DuckDbFile(warehouse), customer)
        shutil.rmtree(warehouse.parent / ".testio")
        calendar.later += timedelta(hours=2)
        again = pipeline.load(DuckDbFile(warehouse), customer)
    assert calls(again, "test_details") < calls(full, "test_details") / 2
    assert sum(endpoint.versions for endpoint in again.endpoints) == 0


def test_bad_state_is_harmless(load: Load, loaded: Path, undisturbed: Loaded) -> None:
    working = loaded.parent / ".testio" / loaded.name / "testio"
    working.mkdir(parents=True)
    (working / "state.json").write_text("{ this is no state")
    report = load()
    assert not report.problems
    assert raw.differences(raw.read(loaded), undisturbed.raw) == []


def test_bad_state_in_the_warehouse_is_harmless(
    load: Load, loaded: Path, undisturbed: Loaded
) -> None:
    with duckdb.connect(str(loaded)) as connection:
        connection.execute(
            "set search_path = testio_raw;"
            "update ledger set ids = case when test_id is null then '{ no list' else '[null]' end;"
            "insert into ledger by name select * replace ('?' as endpoint, false as is_complete,"
            " now() + interval 1 year as read_at) from ledger;"
            "create table _dlt_pipeline_state as select 'testio' as pipeline_name, 99 as version,"
            " 'no state' as state, now() as created_at, _dlt_load_id, 'x' as _dlt_id from ledger;"
            "insert into _dlt_version by name select * replace ('no schema' as schema,"
            " 9 as version, 'x' as version_hash) from _dlt_version;"
        )
    report = load()
    assert not report.problems
    assert raw.differences(raw.read(loaded), undisturbed.raw) == []
    ledger = ledger_of(DuckDbFile(loaded))
    assert ledger
    assert [status.unread_tests for status in ledger.customers()] == [0]
