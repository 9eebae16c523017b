"""What tests of the loader share: an account served on this machine, a warehouse of its own."""

import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import battery
import duckdb
import pytest
import raw
import spark
import spark_connect
from click.testing import CliRunner, Result
from commands import run_dbt
from engines import Postgres, postgres

from testio_loader.commands.cli import main
from testio_loader.commands.process import DLT_SETTINGS
from testio_loader.customers import Customer
from testio_loader.land import pipeline
from testio_loader.warehouses.duckdb_file import DuckDbFile
from testio_sandbox import TOKEN, Account, Answer, Handler, Query, serve
from testio_sandbox.changes import a_day
from testio_sandbox.faults import hostile_records, stray_bug

Rows = list[tuple[Any, ...]]
Dbt = Callable[..., str]
CUSTOMER_ID = 7
SETTINGS = {
    **DLT_SETTINGS,
    "RUNTIME__REQUEST_BACKOFF_FACTOR": "0.01",
}


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TESTIO_DUCKDB_PATH", str(tmp_path / "warehouse.duckdb"))
    for name in ("API_TOKEN", "CUSTOMER_ID", "BASE_URL"):
        monkeypatch.delenv(f"SOURCES__TESTIO__{name}", raising=False)


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    return tmp_path / "warehouse.duckdb"


def small_account() -> Account:
    return Account(products=3, tests=12, bugs=60)


@pytest.fixture
def account() -> Account:
    return small_account()


@pytest.fixture
def customer(account: Account) -> Iterator[Customer]:
    with serve(account) as sandbox:
        yield Customer("acme", CUSTOMER_ID, TOKEN, sandbox.url)


@pytest.fixture
def load(warehouse: Path, customer: Customer) -> Callable[..., pipeline.LoadReport]:
    def run(**selection: Any) -> pipeline.LoadReport:
        return pipeline.load(DuckDbFile(warehouse), customer, pipeline.Selection(**selection))

    return run


@pytest.fixture
def select(warehouse: Path) -> Callable[[str], Rows]:
    def run(sql: str) -> Rows:
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    return run


@pytest.fixture
def dbt(warehouse: Path) -> Dbt:
    return partial(run_dbt, warehouse)


class Loaded(NamedTuple):
    """A warehouse that one load without any mishap has filled, and what is in it."""

    path: Path
    raw: raw.Raw


def load_undisturbed(account: Handler, path: Path) -> Loaded:
    with serve(account) as sandbox:
        report = pipeline.load(DuckDbFile(path), Customer("acme", CUSTOMER_ID, TOKEN, sandbox.url))
    assert not report.problems
    return Loaded(path, raw.read(path))


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """The account of most tests, in a warehouse to be copied or compared with."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name, value in SETTINGS.items():
            monkeypatch.setenv(name, value)
        return load_undisturbed(
            small_account(), tmp_path_factory.mktemp("undisturbed") / "warehouse.duckdb"
        )


@pytest.fixture
def loaded(undisturbed: Loaded, warehouse: Path) -> Path:
    """The test's own warehouse, which already holds what the account holds."""
    return Path(shutil.copy(undisturbed.path, warehouse))


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three days of an account that changes, and whose bugs nobody would want to read."""
    path = tmp_path_factory.mktemp("hostile") / "warehouse.duckdb"
    account = small_account()
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name, value in SETTINGS.items():
            monkeypatch.setenv(name, value)
        for day in range(3):
            a_day(account, day)
            with serve(stray_bug(hostile_records(account))) as sandbox:
                customer = Customer("acme", CUSTOMER_ID, TOKEN, sandbox.url)
                report = pipeline.load(DuckDbFile(path), customer)
            assert {problem.partition(": ")[2] for problem in report.problems} == {
                "6 in quarantine without a key"
            }
    return path


@pytest.fixture(scope="session")
def battered(hostile: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, and whatever can stand in a record."""
    path = tmp_path_factory.mktemp("battered") / "warehouse.duckdb"
    shutil.copy(hostile, path)
    assert battery.land(path) > 5000
    return path


@pytest.fixture(scope="session")
def battered_without_exponents(hostile: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All but numbers that Java writes with an exponent, as docs/engines.md says."""
    path = tmp_path_factory.mktemp("without_exponents") / "warehouse.duckdb"
    shutil.copy(hostile, path)
    assert battery.land(path, leave_out="[0-9]{8}[.][0-9]") > 5000
    return path


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with postgres(tmp_path_factory.mktemp("postgres")) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def built_postgres(cluster: Postgres, battered: Path) -> Postgres:
    """A database in which all that is hostile has passed a whole build."""
    cluster.copy_raw(battered)
    cluster.dbt("build")
    return cluster


@pytest.fixture(scope="session")
def spark_master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with spark.cluster(tmp_path_factory.mktemp("cluster")) as master:
        yield master


@pytest.fixture(scope="session")
def built_spark(
    spark_master: str,
    cluster: Postgres,
    battered_without_exponents: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> spark.Spark:
    """Iceberg tables that a cluster has made of all that is hostile, and tested.

    A test that compares all rows with DuckDB's says more than unit tests, which take ten seconds
    each here. Of generic tests those of one mart show that each kind runs, but constraints, which
    only Spark does not enforce, are tested for each model.
    """
    built = spark.engine(tmp_path_factory.mktemp("spark"), spark_master, cluster.another("iceberg"))
    built.copy_raw(battered_without_exponents)
    built.dbt("build", "--exclude", "test_type:generic", "test_type:unit")
    built.dbt("test", "--select", "fct_bugs,test_type:generic", "test_name:constraints_hold")
    return built


@pytest.fixture(scope="session")
def built_spark4(
    hostile: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[spark_connect.SparkConnect]:
    """Parquet files of which all models are made, over Connect; tests run on Spark 3.5."""
    with spark_connect.server(tmp_path_factory.mktemp("spark4")) as built:
        built.copy_raw(hostile)
        built.dbt("run")
        yield built


Run = Callable[..., Result]


def detail_calls(run: Run, destination: str) -> list[int]:
    """Return how many details of tests each of two loads of an unchanged account reads."""
    account, paths = Account(products=1, tests=205, bugs=100), list[str]()

    def counted(path: str, query: Query) -> Answer:
        paths.append(path)
        return account(path, query)

    found = []
    for _ in range(2):
        paths.clear()
        assert run(counted, "--destination", destination).exit_code == 0
        found.append(sum(path.startswith("/exploratory_tests/") for path in paths))
    return found


def configured(url: str) -> dict[str, str]:
    """Return the environment in which commands find the sandbox."""
    return {
        **SETTINGS,
        "SOURCES__TESTIO__API_TOKEN": TOKEN,
        "SOURCES__TESTIO__CUSTOMER_ID": str(CUSTOMER_ID),
        "SOURCES__TESTIO__BASE_URL": url,
    }


@pytest.fixture
def run() -> Run:
    """Load by the command line from a handler; the warehouse is the test's own."""

    def run(handler: Handler, *arguments: str) -> Result:
        with serve(handler) as sandbox:
            environment = configured(sandbox.url)
            result = CliRunner().invoke(main, ["load", *arguments], env=environment)
        assert result.exception is None or isinstance(result.exception, SystemExit), result
        return result

    return run


@pytest.fixture(autouse=True, scope="session")
def _no_configuration_of_ours() -> None:
    for name in list(os.environ):
        if name.startswith("SOURCES__TESTIO__"):
            del os.environ[name]
