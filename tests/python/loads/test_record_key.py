"""Each record has one key in raw, so that no two customers' records are taken for one."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest
import raw
from conftest import CUSTOMER_ID, SETTINGS, small_account
from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient
from engines import Postgres
from moments import KILLED

from testio_loader.api.endpoints import ENDPOINTS, TABLES
from testio_loader.customers import Customer
from testio_loader.land import pipeline
from testio_loader.land.ledger import LedgerReader
from testio_loader.tables import Table
from testio_loader.warehouses import Warehouse
from testio_loader.warehouses.duckdb_file import DuckDbFile
from testio_sandbox import TOKEN, Account, Answer, Query, serve
from testio_sandbox.changes import a_day

pytestmark = pytest.mark.slow

Select = Callable[[str], list[tuple[Any, ...]]]
KEYS = " union all ".join(
    f"select '{e.name}' as endpoint, record_key, concat_ws('-', {', '.join(e.key)}) as expected "
    f"from testio_raw.{e.name}"
    for e in ENDPOINTS
)


def one_bug(bug_id: int) -> Callable[[str, Query], Answer]:
    """Serve an account of one test with one bug."""
    test = {"id": 1, "status": "running", "testing_type": "rapid", "product": {"id": 1}}
    answers = {
        "/products": {"products": [{"id": 1, "name": f"of bug {bug_id}"}]},
        "/bugs/reject_reasons": {"reject_reasons": []},
        "/exploratory_tests/1": {"exploratory_test": test},
        "/bugs": {"bugs": [{"id": bug_id, "title": "b", "test": {"id": 1}}]},
    }

    def handle(path: str, query: Query) -> Answer:
        if path == "/products/1/exploratory_tests":
            return Answer(body={"exploratory_tests": [test] if query["page"] == ["1"] else []})
        return Answer(body=answers[path]) if path in answers else Answer(404)

    return handle


def test_records_whose_ids_joined_are_the_same_text_are_two(
    warehouse: Path, select: Select
) -> None:
    """Issue 15, row 17: "2" and "145" are joined to what "21" and "45" are."""
    versions = "select customer_id, id, _dlt_valid_to is null from testio_raw.bugs order by all"
    for _ in range(2):
        for customer_id, bug_id in ((2, 145), (21, 45)):
            with serve(one_bug(bug_id)) as sandbox:
                customer = Customer("c", customer_id, TOKEN, sandbox.url)
                pipeline.load(DuckDbFile(warehouse), customer)
        assert select(versions) == [(2, 145, True), (21, 45, True)]


# A warehouse that was made before there was this key


_NEW_COLUMNS = ("record_key", "test_hash")


@contextmanager
def earlier_version() -> Iterator[None]:
    """Let loads do what they did before there was this key."""
    before = tuple(
        replace(t, columns={n: kind for n, kind in t.columns.items() if n not in _NEW_COLUMNS})
        for t in TABLES
    )
    hints = Table.hints

    def hints_before(table: Table) -> dict[str, Any]:
        return hints(table) | ({"merge_key": ["customer_id", "id"]} if table.is_versioned else {})

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("testio_loader.source.TABLES", before)
        monkeypatch.setattr("testio_loader.land.pipeline.TABLES", before)
        monkeypatch.setattr(Table, "hints", hints_before)
        monkeypatch.setattr(Warehouse, "upgrade", lambda *_: None)
        monkeypatch.setattr(LedgerReader, "known_to_load", LedgerReader.known)
        yield


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, raw.Raw]:
    """The file of a warehouse that two loads of the earlier version have filled.

    And what is in one that three loads of this version have filled.
    """
    folder = tmp_path_factory.mktemp("before")
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name, value in SETTINGS.items():
            monkeypatch.setenv(name, value)
        with earlier_version():
            fill(folder / "before.duckdb", days=2)
        fill(folder / "expected.duckdb", days=3)
    return (folder / "before.duckdb").read_bytes(), raw.read(folder / "expected.duckdb")


@pytest.fixture
def before(warehouse: Path, landed: tuple[bytes, raw.Raw]) -> Path:
    warehouse.write_bytes(landed[0])
    return warehouse


@pytest.fixture
def expected(landed: tuple[bytes, raw.Raw]) -> raw.Raw:
    return landed[1]


def fill(path: Path, *, days: int) -> None:
    account = small_account()
    for day in range(days):
        a_day(account, day)
        load(account, path)


def load(account: Account, path: Path) -> pipeline.LoadReport:
    with serve(account) as sandbox:
        customer = Customer("acme", CUSTOMER_ID, TOKEN, sandbox.url)
        return pipeline.load(DuckDbFile(path), customer, pipeline.Selection(is_full=True))


def account_on(day: int) -> Account:
    account = small_account()
    for passed in range(day + 1):
        a_day(account, passed)
    return account


def versions(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return what is in the tables, less the key."""
    with duckdb.connect(str(path), read_only=True) as connection:
        return {
            e.name: connection.execute(
                f"select columns(lambda c: c <> 'record_key') from testio_raw.{e.name} order by all"
            ).fetchall()
            for e in ENDPOINTS
        }


def assert_keyed(path: Path) -> None:
    with duckdb.connect(str(path), read_only=True) as connection:
        wrong = f"select * from ({KEYS}) where record_key is distinct from expected"
        assert connection.execute(wrong).fetchall() == []


def test_a_warehouse_of_an_earlier_version_goes_on_without_loss(
    before: Path, expected: raw.Raw
) -> None:
    """Issue 15, row 17: nothing lands anew, and what changes closes the version before."""
    landed = versions(before)
    assert landed["bugs"]
    report = load(account_on(1), before)
    assert {row.endpoint: row.versions for row in report.endpoints if row.versions} == {}
    assert versions(before) == landed
    assert_keyed(before)
    load(account_on(2), before)
    assert raw.differences(raw.read(before), expected) == []
    assert raw.doubled(raw.read(before)) == []


@pytest.mark.parametrize("statement", [1, 20, 40])
def test_a_load_of_an_earlier_version_that_was_killed_is_finished(
    before: Path, expected: raw.Raw, statement: int
) -> None:
    """Issue 15, row 17: its files have no record key."""
    account = account_on(2)
    with serve(account) as sandbox:
        customer = Customer("acme", CUSTOMER_ID, TOKEN, sandbox.url)
        assert killed(before, customer, statement) == KILLED
    load(account, before)
    assert_keyed(before)
    assert raw.differences(raw.read(before), expected) == []


def killed(path: Path, customer: Customer, statement: int) -> int:
    """Load as the earlier version did, and die at a statement after reading has ended."""
    child = os.fork()
    if child == 0:
        execute, passed, reading = DuckDbSqlClient.execute_query, 0, True

        def counted(client: Any, query: str, *arguments: Any, **options: Any) -> Any:
            nonlocal passed
            passed += not reading
            if passed == statement:
                os.kill(os.getpid(), signal.SIGKILL)
            return execute(client, query, *arguments, **options)

        normalize = dlt.Pipeline.normalize

        def normalized(*arguments: Any, **options: Any) -> Any:
            nonlocal reading
            done = normalize(*arguments, **options)
            reading = False
            return done

        DuckDbSqlClient.execute_query = counted  # type: ignore[method-assign]
        dlt.Pipeline.normalize = normalized  # type: ignore[method-assign]
        try:
            with earlier_version():
                pipeline.load(DuckDbFile(path), customer, pipeline.Selection(is_full=True))
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


@pytest.mark.postgres
def test_a_database_of_an_earlier_version_goes_on_without_loss(
    before: Path, cluster: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 15, row 17: `copy` brings the keys along; a database that was there gets them."""
    database = cluster.another("record_key")
    database.copy_raw(before)
    assert database.query(f"select * from ({KEYS}) as k where record_key <> expected")[1] == []
    with database.cursor() as cursor:
        for endpoint in ENDPOINTS:
            cursor.execute(f"alter table testio_raw.{endpoint.name} drop column record_key")
    for name, value in database.environment.items():
        monkeypatch.setenv(name, value)
    from testio_loader.warehouses import postgres

    warehouse = postgres.configured()
    with serve(account_on(1)) as sandbox:
        customer = Customer("acme", CUSTOMER_ID, TOKEN, sandbox.url)
        report = pipeline.load(warehouse, customer, pipeline.Selection(is_full=True))
    assert {row.endpoint: row.versions for row in report.endpoints if row.versions} == {}
    wrong = f"select * from ({KEYS}) as k where record_key is distinct from expected"
    assert database.query(wrong)[1] == []


def test_iceberg_tables_of_an_earlier_version_go_on_without_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 15, row 17: what landed before keeps no key, as nothing is merged there."""
    from testio_loader.warehouses import iceberg

    folder = tmp_path / "lake"
    folder.mkdir()
    properties = {
        "type": "sql",
        "uri": f"sqlite:///{tmp_path}/catalog.db",
        "warehouse": folder.as_uri(),
    }
    monkeypatch.setenv("DESTINATION__FILESYSTEM__BUCKET_URL", folder.as_uri())
    monkeypatch.setenv("ICEBERG_CATALOG__ICEBERG_CATALOG_CONFIG", json.dumps(properties))
    account = small_account()
    with serve(account) as sandbox:
        customer = Customer("acme", CUSTOMER_ID, TOKEN, sandbox.url)
        with earlier_version():
            pipeline.load(iceberg.configured(), customer)
        bug_id = account("/bugs", {}).json()["bugs"][0]["id"]
        account.change("bugs", bug_id, title="Another title")
        report = pipeline.load(iceberg.configured(), customer)
    assert {row.endpoint: row.versions for row in report.endpoints if row.versions} == {"bugs": 1}
    bugs = iceberg.configured().select("select record_key, count(*) from {bugs} group by 1")
    assert sorted(bugs, key=str) == [(f"{CUSTOMER_ID}-{bug_id}", 1), (None, 60)]
