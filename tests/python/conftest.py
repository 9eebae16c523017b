"""What tests of the loader share: an account served on this machine, a warehouse of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from loader import pipeline
from loader.customers import Customer
from loader.sandbox import TOKEN, Account, serve

Rows = list[tuple[Any, ...]]


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "0.01")
    monkeypatch.setenv("TESTIO_DUCKDB_PATH", str(tmp_path / "warehouse.duckdb"))
    for name in ("API_TOKEN", "CUSTOMER_ID", "BASE_URL"):
        monkeypatch.delenv(f"SOURCES__TESTIO__{name}", raising=False)


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    return tmp_path / "warehouse.duckdb"


@pytest.fixture
def account() -> Account:
    return Account(products=3, tests=12, bugs=60)


@pytest.fixture
def customer(account: Account) -> Iterator[Customer]:
    with serve(account) as sandbox:
        yield Customer("acme", 7, TOKEN, sandbox.url)


@pytest.fixture
def load(warehouse: Path, customer: Customer) -> Callable[..., pipeline.LoadReport]:
    def run(**scope: Any) -> pipeline.LoadReport:
        return pipeline.load(warehouse, customer, **scope)

    return run


@pytest.fixture
def select(warehouse: Path) -> Callable[[str], Rows]:
    def run(sql: str) -> Rows:
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    return run
