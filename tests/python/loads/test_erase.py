"""Erasing a customer leaves nothing of them in any byte, and all of the others."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from commands import configure, kill_while_landing, reader_of, run

from testio_loader.customers import Customer
from testio_loader.land import pipeline
from testio_loader.warehouses.duckdb_file import DuckDbFile
from testio_sandbox import Account, Answer, Query, serve

pytestmark = pytest.mark.slow

MARKER = b"Marker-7f3a9c51d2"
TABLES = "select table_name from duckdb_tables() where schema_name = 'testio_raw' order by 1"
Select = Callable[[str], list[tuple[Any, ...]]]

_KILLED_AFTER = """
import os, signal, sys
from testio_loader.warehouses import duckdb_erasure as erasure
from testio_loader.commands.cli import main
step = getattr(erasure, sys.argv[1])
def killed(*arguments):
    step(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(erasure, sys.argv[1], killed)
main(sys.argv[2:])
"""


def marked(path: str, query: Query) -> Answer:
    answer = Account(products=2, tests=6, bugs=24, customer=1)(path, query)
    return Answer(answer.status, answer.data().replace(b'"title":"', b'"title":"' + MARKER))


TOKENS = {"leaver": "token-of-leaver", "stayer": "token-of-stayer"}
HANDLERS = {
    TOKENS["leaver"]: marked,
    TOKENS["stayer"]: Account(products=2, tests=6, bugs=24, customer=2),
}


@pytest.fixture(autouse=True)
def _customers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with serve(HANDLERS) as sandbox:
        configure(monkeypatch, sandbox.url, TOKENS)
        yield


@pytest.fixture(scope="session")
def _loaded_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Load both customers, and build as dbt does: tables with keys, and views on them."""
    path = tmp_path_factory.mktemp("both") / "warehouse.duckdb"
    with serve(HANDLERS) as sandbox:
        for customer_id, (name, token) in enumerate(TOKENS.items(), 1):
            pipeline.load(DuckDbFile(path), Customer(name, customer_id, token, sandbox.url))
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "create schema testio_marts;"
            "create table testio_marts.fct_bugs (customer_id bigint, id bigint, payload text,"
            " primary key (customer_id, id));"
            "insert into testio_marts.fct_bugs by name"
            " select customer_id, id, payload from testio_raw.bugs;"
            "create index by_id on testio_marts.fct_bugs (id);"
            "comment on table testio_marts.fct_bugs is 'bugs';"
            "create view testio_marts.titles as select customer_id, payload ->> 'title' as title"
            " from warehouse.testio_marts.fct_bugs;"
            "create schema theirs;"
            "create table theirs.numbers as select 1 as customer_id, 42 as answer"
        )
    return path


@pytest.fixture
def loaded(warehouse: Path, _loaded_file: Path) -> None:
    shutil.copy(_loaded_file, warehouse)


def files_with_marker(folder: Path) -> list[Path]:
    return [
        file
        for file in folder.rglob("*")
        if file.is_file() and (MARKER in file.read_bytes() or "rewritten" in file.name)
    ]


def rows_of(select: Select, customer_id: int) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table: select(f"select * from testio_raw.{table} where customer_id = {customer_id}")
        for (table,) in select(TABLES)
        if not table.startswith("_dlt")
    }


@pytest.mark.usefixtures("loaded")
def test_nothing_is_left_of_the_one_and_everything_of_the_other(
    warehouse: Path, select: Select
) -> None:
    assert files_with_marker(warehouse.parent) == [warehouse]
    kept = rows_of(select, 2)
    run("erase", "--customer", "leaver", "--yes")
    assert files_with_marker(warehouse.parent) == []
    assert not any(rows_of(select, 1).values())
    assert rows_of(select, 2) == kept
    assert select("select distinct customer_id from testio_marts.titles") == [(2,)]
    assert select("from theirs.numbers") == [(1, 42)]
    assert select(
        "select has_primary_key, index_count, comment from duckdb_tables()"
        " where table_name = 'fct_bugs'"
    ) == [(True, 2, "bugs")]
    assert DuckDbFile(warehouse).storage_version() == "v1.0.0"

    run("load", "--customer", "stayer")
    assert {table: len(rows) for table, rows in rows_of(select, 2).items()} == {
        table: len(rows) * (2 if table == "ledger" else 1) for table, rows in kept.items()
    }
    run("load", "--customer", "leaver")
    assert rows_of(select, 1)["bugs"]


@pytest.mark.usefixtures("loaded")
def test_what_dbt_has_built_elsewhere_is_named(warehouse: Path, select: Select) -> None:
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(
            "create schema prod_marts; create schema prod_staging;"
            'create table prod_marts."my bugs" as select customer_id, payload'
            " from testio_raw.bugs;"
            "create table prod_marts.of_the_other as select 2::bigint as customer_id;"
            'create view prod_staging.titles as from prod_marts."my bugs";'
        )
    done = run("erase", "--customer", "leaver", "--yes", status=1)
    assert "are still in prod_marts.my bugs: if these tables were built" in done.stderr
    assert "drop or rebuild them, then erase again" in done.stderr
    assert not any(rows_of(select, 1).values())
    assert files_with_marker(warehouse.parent) == [warehouse]
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute('drop view prod_staging.titles; drop table prod_marts."my bugs"')
    run("erase", "--customer", "leaver", "--yes")
    assert files_with_marker(warehouse.parent) == []


@pytest.mark.parametrize("step", ["_delete", "_compare"])
@pytest.mark.usefixtures("loaded")
def test_killed_half_way_the_file_is_whole_and_erasing_can_be_repeated(
    warehouse: Path, select: Select, step: str
) -> None:
    kept = rows_of(select, 2)
    spilled = warehouse.with_name("warehouse.duckdb.tmp")  # DuckDB's, by another that was killed
    spilled.mkdir()
    (spilled / "duckdb_temp_storage-0.tmp").write_bytes(MARKER)
    arguments = ("erase", "--customer", "leaver", "--yes")
    done = subprocess.run([sys.executable, "-c", _KILLED_AFTER, step, *arguments], check=False)
    assert done.returncode == -signal.SIGKILL
    assert rows_of(select, 2) == kept
    run(*arguments)
    assert rows_of(select, 2) == kept
    assert files_with_marker(warehouse.parent) == []


def test_what_an_interrupted_load_has_left_is_erased_as_well(
    warehouse: Path, select: Select
) -> None:
    kill_while_landing("load")
    folder = warehouse.parent / ".testio"
    assert [file for file in folder.rglob("*.parquet") if file.is_file()]
    run("erase", "--customer", "1", "--yes")
    assert files_with_marker(warehouse.parent) == []
    assert [file.name for file in folder.rglob("*") if file.is_file()] == ["lock"]


@pytest.mark.usefixtures("loaded")
def test_it_asks_first_and_waits_for_readers(warehouse: Path) -> None:
    before = warehouse.read_bytes()
    assert "customer_id 1 from" in run("erase", "--customer", "leaver", status=1).output
    with reader_of(warehouse) as process_id:
        done = run("erase", "--customer", "leaver", "--yes", status=1)
        assert "warehouse.duckdb is held open by" in done.stderr
        assert f"(PID {process_id})" in done.stderr
    assert "known: leaver, stayer" in run("erase", "--customer", "x", "--yes", status=2).stderr
    assert warehouse.read_bytes() == before


def test_without_a_warehouse_there_is_nothing_to_erase(warehouse: Path) -> None:
    assert "no raw data in" in run("erase", "--customer", "leaver", "--yes", status=1).stderr
    assert not os.listdir(warehouse.parent)
