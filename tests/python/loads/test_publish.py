"""What is published: all that a whole dbt build has passed, in one step, and of nobody else."""

import json
import pickle
import random
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest
from commands import DATA_ONLY, configure, run, run_dbt
from conftest import SETTINGS
from moments import KILLED, loads

from testio_loader.customers import Customer
from testio_loader.land import pipeline
from testio_loader.warehouses.duckdb_file import DuckDbFile
from testio_sandbox import TOKEN, Account, Answer, Handler, Query, serve
from testio_sandbox.changes import a_day

pytestmark = pytest.mark.slow

Tables = dict[str, list[tuple[Any, ...]]]
MARKERS = {1: b"Acme-2f81", 2: b"Globex-9c4d"}
TOKENS = {"acme": "token-of-acme", "globex": "token-of-globex"}
KILLS = 5
_TEXTS = re.compile(rb'("(?:title|name|external_id|steps|content|user_name)":")')
_READER = """
import duckdb, sys
with duckdb.connect(sys.argv[1], read_only=True) as connection:
    for line in sys.stdin:
        print(connection.execute(line).fetchone()[0], flush=True)
"""
_WRITER = """
import duckdb, os, sys
connection = duckdb.connect(sys.argv[1])
connection.execute("delete from marts.fct_bugs")
os._exit(0)
"""
_CLIENT = """
import duckdb, pickle, sys
with duckdb.connect(sys.argv[1], read_only=True) as connection:
    tables = connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
    rows = {
        f"{schema}.{table}": connection.execute(f"from {schema}.{table} order by all").fetchall()
        for schema, table in tables
    }
    columns = "select column_name, comment from duckdb_columns() where table_name = 'fct_bugs'"
    read = duckdb.__version__, rows, connection.execute(columns).fetchall()
pickle.dump(read, sys.stdout.buffer)
"""


def marked(account: Account, marker: bytes) -> Handler:
    """Let the texts of an account tell whose they are."""

    def answer(path: str, query: Query) -> Answer:
        answer = account(path, query)
        return Answer(answer.status, _TEXTS.sub(rb"\1" + marker + b" ", answer.data()))

    return answer


def account(customer_id: int) -> Account:
    return Account(products=2, tests=8, bugs=40, seed=customer_id, customer=customer_id)


@pytest.fixture(scope="module")
def built_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two customers in one warehouse, built."""
    path = tmp_path_factory.mktemp("built") / "warehouse.duckdb"
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name, value in SETTINGS.items():
            monkeypatch.setenv(name, value)
        handlers = {
            token: marked(account(id_), MARKERS[id_])
            for id_, token in enumerate(TOKENS.values(), 1)
        }
        with serve(handlers) as sandbox:
            for customer_id, (name, token) in enumerate(TOKENS.items(), 1):
                pipeline.load(DuckDbFile(path), Customer(name, customer_id, token, sandbox.url))
        run_dbt(path, "build", *DATA_ONLY)
    return path


@pytest.fixture
def built(built_file: Path, warehouse: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    configure(monkeypatch, "http://127.0.0.1:1", TOKENS)
    return Path(shutil.copy(built_file, warehouse))


@pytest.fixture
def to(tmp_path: Path) -> Path:
    return tmp_path / "out" / "published.duckdb"


def rows(at: Path) -> Tables:
    """Return what is in a DuckDB file, or in a folder of Parquet files."""
    with duckdb.connect("" if at.is_dir() else str(at), read_only=not at.is_dir()) as connection:
        if at.is_dir():
            sources = {f"{f.parent.name}.{f.stem}": f"'{f}'" for f in at.glob("*/*.parquet")}
        else:
            names = "select schema_name || '.' || table_name from duckdb_tables()"
            sources = {name: name for (name,) in connection.execute(names).fetchall()}
        return {
            name: connection.execute(f"from {source} order by all").fetchall()
            for name, source in sources.items()
        }


def saved_queries(at: Path) -> dict[str, list[dict[str, Any]]]:
    """Return what is in the schema of metrics, by the names of columns."""
    with duckdb.connect("" if at.is_dir() else str(at), read_only=not at.is_dir()) as connection:
        named = {}
        for name in filter(re.compile("metrics[.]").match, rows(at)):
            source = f"'{at}/{name.replace('.', '/')}.parquet'" if at.is_dir() else name
            table = connection.execute(f"from {source} order by all")
            columns = [column for column, *_ in table.description]
            named[name] = [dict(zip(columns, row, strict=True)) for row in table.fetchall()]
        return named


def expected(warehouse: Path, customer_id: int | None = None) -> Tables:
    """Return what of a warehouse is to be published."""
    everything = rows(warehouse)
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        places = {
            f"{schema}.{table}": place
            for schema, table, place in connection.execute(
                "select schema_name, table_name, column_index - 1 from duckdb_columns()"
                " where column_name = 'customer_id'"
            ).fetchall()
        }
    return {
        name.removeprefix("testio_"): [
            row
            for row in content
            if None in (customer_id, places.get(name)) or row[places[name]] == customer_id
        ]
        for name, content in everything.items()
        if re.match("testio_(marts|audit)", name) and name != "testio_audit.passed_build"
    }


def alter(warehouse: Path, sql: str) -> None:
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(sql)


def publish(*arguments: object, status: int = 0) -> str:
    return run("publish", *arguments, status=status).output


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# What it is


def test_all_marts_and_audit_models_are_published_and_nothing_else(built: Path, to: Path) -> None:
    alter(
        built,
        "create table testio_marts.left_by_an_earlier_version as select 1 as one;"
        "create table testio_staging.stg_of_somebody as select 1 as one",
    )
    tables = expected(built)
    del tables["marts.left_by_an_earlier_version"]
    printed = publish("--to", to)
    assert rows(to) == tables
    assert len(tables) > 30
    assert f"{len(tables)} tables with {sum(map(len, tables.values())):,} rows" in printed
    assert str(to) in printed
    assert DuckDbFile(to).storage_version() == "v1.0.0"
    assert names(to.parent) == [to.name]


def test_it_tells_programs_what_is_published(built: Path, to: Path) -> None:
    report = json.loads(publish("--to", to, "--customer", "globex", "--json"))
    tables = {f"{table['schema']}.{table['table']}": table["rows"] for table in report["tables"]}
    assert tables == {name: len(content) for name, content in rows(to).items()}
    assert (report["path"], report["customer_id"]) == (str(to), 2)


def test_descriptions_are_published(built: Path, to: Path) -> None:
    publish("--to", to)
    comments = (
        "select table_name, null, comment from duckdb_tables() where schema_name in ({0})"
        " union all select table_name, column_name, comment from duckdb_columns()"
        " where schema_name in ({0}) and table_name <> 'passed_build' order by all"
    )
    with duckdb.connect(str(to), read_only=True) as connection:
        published = connection.execute(comments.format("'marts', 'audit'")).fetchall()
    with duckdb.connect(str(built), read_only=True) as connection:
        described = connection.execute(comments.format("'testio_marts', 'testio_audit'")).fetchall()
    assert published == [row for row in described if row[0] != "passed_build"]
    assert [row for row in published if not row[2]] == []


@pytest.mark.parametrize("format_", ["duckdb", "parquet"])
def test_saved_queries_are_published_where_dbt_builds(
    format_: str, built_file: Path, built: Path, to: Path
) -> None:
    assert "saved queries" in publish("--to", to, "--format", format_)
    assert not saved_queries(to)
    shutil.copytree(built_file.parent / "target", built.parent / "target")
    assert "saved queries" not in publish("--to", to, "--format", format_)
    everyone = saved_queries(to)
    assert len(everyone) >= 6
    assert {row["test__customer"] for row in everyone["metrics.quarterly_review"]} == {1, 2}
    quarters = "from testio_marts.product_quality where period_type = 'quarter'"
    with duckdb.connect(str(built), read_only=True) as connection:
        (bugs,) = connection.execute(f"select sum(bug_count) {quarters}").fetchone() or ()
    assert sum(row["bug_count"] for row in everyone["metrics.quarterly_review"]) == bugs > 0
    publish("--to", to, "--format", format_, "--customer", "globex")
    assert saved_queries(to) == {
        name: [row for row in table if row["test__customer"] == 2]
        for name, table in everyone.items()
    }


@pytest.mark.parametrize("version", ["lowest", "highest"])
def test_duckdb_1_reads_all_of_it(built: Path, to: Path, tmp_path: Path, version: str) -> None:
    client = tmp_path / "client"
    installed = subprocess.run(
        [
            *(Path(sys.executable).with_name("uv"), "pip", "install", "duckdb>=1.0,<2"),
            *("--python", sys.executable, "--target", client),
            *("--only-binary", ":all:", "--resolution", version),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if "Failed to fetch" in installed.stderr:
        pytest.skip("no package registry can be reached")
    assert installed.returncode == 0, installed.stderr
    publish("--to", to)
    read = subprocess.run(
        [sys.executable, "-c", _CLIENT, to],
        env={"PYTHONPATH": str(client)},
        capture_output=True,
        check=False,
    )
    assert read.returncode == 0, read.stderr
    theirs, tables, columns = pickle.loads(read.stdout)
    assert theirs.startswith("1.")
    assert tables == rows(to)
    assert ("bug_id", "The bug's id.") in columns


def test_parquet_files_hold_the_same(built: Path, to: Path) -> None:
    publish("--to", to)
    folder = to.with_name("parquet")
    publish("--to", folder, "--format", "parquet")
    tables = rows(to)
    assert rows(folder) == tables
    with duckdb.connect(str(to), read_only=True) as connection:
        for name in tables:
            file = f"'{folder}/{name.replace('.', '/')}.parquet'"
            of_table, of_file = (
                [column[:2] for column in connection.execute(f"describe from {source}").fetchall()]
                for source in (name, file)
            )
            assert of_table == of_file


# Of one customer


@pytest.mark.parametrize("format_", ["duckdb", "parquet"])
def test_nothing_of_another_customer_is_published(built: Path, to: Path, format_: str) -> None:
    def published(*arguments: str) -> bytes:
        shutil.rmtree(to.parent, ignore_errors=True)
        publish("--to", to, "--format", format_, *arguments)
        return b"".join(file.read_bytes() for file in to.parent.rglob("*") if file.is_file())

    everything = published()
    for customer_id, other_id, name in ((1, 2, "acme"), (2, 1, "globex")):
        assert MARKERS[customer_id] in everything
        theirs = published("--customer", name)
        assert MARKERS[customer_id] in theirs
        assert MARKERS[other_id] not in theirs
        assert rows(to) == expected(built, customer_id)
        assert MARKERS[other_id] not in repr(rows(to)).encode()


def test_an_unknown_customer_or_one_without_data_is_not_published(built: Path, to: Path) -> None:
    assert "known: acme, globex" in publish("--to", to, "--customer", "initech", status=2)
    assert "no rows of customer_id 3" in publish("--to", to, "--customer", "3", status=1)
    assert names(to.parent) == []


def test_a_table_that_does_not_say_whose_its_rows_are_is_not_published_to_one_customer(
    built: Path, to: Path
) -> None:
    alter(
        built,
        "update testio_audit.passed_build set published = 'by_customer'"
        " where table_name = 'dim_dates'",
    )
    printed = publish("--to", to, "--customer", "acme", status=1)
    assert "marts.dim_dates" in printed
    assert "customer_id" in printed
    assert names(to.parent) == []


# When it is


def assert_refused(to: Path, reason: str) -> None:
    before = to.read_bytes() if to.exists() else None
    assert reason in publish("--to", to, status=1)
    assert (to.read_bytes() if to.exists() else None) == before


NOT_PASSED = "has not passed a whole `dbt build`"


def test_what_was_never_built_is_not_published(loaded: Path, to: Path) -> None:
    assert_refused(to, NOT_PASSED)
    loaded.unlink()
    assert_refused(to, "does not exist")


def test_a_build_with_a_failed_test_is_not_published(built: Path, to: Path) -> None:
    publish("--to", to)
    alter(built, "delete from testio_raw.bugs where id in (select min(id) from testio_raw.bugs)")
    run_dbt(built, "build", *DATA_ONLY, status=1)
    assert_refused(to, NOT_PASSED)


def test_a_test_that_fails_later_takes_the_build_back(built: Path, to: Path) -> None:
    run_dbt(built, "test", "--select", "dim_sections")
    publish("--to", to)
    alter(built, "update testio_marts.fct_executions set test_key = '7/-1'")
    run_dbt(built, "test", "--select", "fct_executions", status=1)
    assert_refused(to, NOT_PASSED)


@pytest.mark.parametrize(
    "arguments",
    [
        ("build", "--select", "dim_sections"),
        ("build", "--empty", *DATA_ONLY),
    ],
    ids=" ".join,
)
def test_what_is_no_whole_build_is_not_published(
    built: Path, to: Path, arguments: tuple[str, ...]
) -> None:
    publish("--to", to)
    run_dbt(built, *arguments)
    assert_refused(to, NOT_PASSED)


def test_what_has_landed_after_the_build_is_waited_for(built: Path, to: Path) -> None:
    publish("--to", to)
    with serve(account(3)) as sandbox:
        pipeline.load(DuckDbFile(built), Customer("initech", 3, TOKEN, sandbox.url))
    assert_refused(to, "a load has landed")


def test_a_load_that_a_clock_has_dated_back_is_waited_for(
    built: Path, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 15, row 24: the newest load is the one that landed last, whatever its id says."""
    monkeypatch.setattr("dlt.extract.storage.create_load_id", lambda: f"{time.time() - 3000:.6f}")
    with serve(account(3)) as sandbox:
        pipeline.load(DuckDbFile(built), Customer("initech", 3, TOKEN, sandbox.url))
    assert_refused(to, "a load has landed")


# Where it is


def test_nothing_is_replaced_but_what_was_published(built: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.duckdb"
    alter(theirs, "create table numbers as select 42 as answer")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "notes.txt").write_text("keep")
    link = tmp_path / "link"
    link.symlink_to(folder.name)
    before = {path: path.read_bytes() for path in (built, theirs)}
    for to in (built, theirs, folder, link, tmp_path):
        for format_ in ("duckdb", "parquet"):
            assert "not overwritten" in publish("--to", to, "--format", format_, status=1)
    assert {path: path.read_bytes() for path in before} == before
    assert names(folder) == ["notes.txt"]
    assert link.readlink() == Path(folder.name)
    assert "same name" in publish("--to", tmp_path / "marts.duckdb", status=1)


def test_what_a_reader_has_written_beside_the_file_is_not_taken_for_a_part_of_the_next(
    built: Path, to: Path
) -> None:
    publish("--to", to)
    assert not to.stat().st_mode & 0o222
    log = to.with_name(f"{to.name}.wal")
    to.chmod(0o644)
    subprocess.run([sys.executable, "-c", _WRITER, to], check=True)
    assert log.exists()
    to.chmod(0o444)
    publish("--to", to)
    assert not log.exists()
    assert rows(to) == expected(built)


# Meanwhile


def test_a_reader_keeps_what_it_has_through_load_build_and_publication(
    built: Path, to: Path
) -> None:
    publish("--to", to)
    folder = to.with_name("parquet")
    publish("--to", folder, "--format", "parquet")
    files = folder.resolve()
    before = rows(to)
    with subprocess.Popen(
        [sys.executable, "-c", _READER, to],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as reader:
        assert reader.stdin
        assert reader.stdout

        def bugs() -> str:
            reader.stdin.write("select bit_xor(hash(bugs)) from marts.fct_bugs as bugs\n")
            reader.stdin.flush()
            return reader.stdout.readline()

        held = bugs()
        changed = account(1)
        for day in range(1, 4):
            a_day(changed, day)
        with serve(marked(changed, MARKERS[1])) as sandbox:
            pipeline.load(DuckDbFile(built), Customer("acme", 1, TOKEN, sandbox.url))
        assert bugs() == held
        run_dbt(built, "build", *DATA_ONLY)
        assert bugs() == held
        publish("--to", to)
        publish("--to", folder, "--format", "parquet")
        assert bugs() == held
        reader.stdin.close()
    after = {name: table for name, table in rows(to).items() if not name.startswith("metrics.")}
    assert after["marts.fct_bugs"] != before["marts.fct_bugs"]
    assert after == expected(built)
    assert rows(to) == rows(folder)
    assert rows(files) == before
    publish("--to", folder, "--format", "parquet")
    assert not files.exists()


@pytest.mark.parametrize("format_", ["duckdb", "parquet"])
def test_killed_at_any_moment_it_has_happened_or_not(built: Path, to: Path, format_: str) -> None:
    """The next one completes, and nothing is left of the one that was killed."""
    command = ("publish", "--format", format_, "--to", to)
    publish(*command[1:])
    old, new = expected(built), expected(built, 1)
    with loads(SETTINGS) as running:
        moments = running.moments(built, *command)
        assert len([moment for moment in moments if "copy" in moment]) == 2 * len(old)
        moving = next(at for at, moment in enumerate(moments, 1) if "os.rename" in moment)
        at_random = [random.Random(kill).randint(1, len(moments)) for kill in range(KILLS)]
        for at in sorted({1, moving - 1, moving, moving + 1, len(moments), *at_random}):
            status, _ = running.run(built, *command, "--customer", "acme", moment=at)
            assert status == KILLED
            assert rows(to) == old or (at > moving and rows(to) == new), moments[at - 1]
    before = to.resolve()
    publish(*command[1:])
    assert rows(to) == old
    kept = {before.name, to.resolve().name} if format_ == "parquet" else set()
    assert set(names(to.parent)) == {to.name, *kept}
