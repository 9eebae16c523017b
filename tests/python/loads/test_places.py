"""Where a warehouse can be: what its file and folders are called, and who may read them."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from commands import kill_while_landing, run
from conftest import configured

from testio_loader.errors import WarehouseError
from testio_loader.publish.publishing import publish, publish_parquet
from testio_loader.warehouses.duckdb_file import DuckDbFile
from testio_loader.warehouses.duckdb_file import configured as configured_file
from testio_sandbox import Account, serve

pytestmark = pytest.mark.slow

NASTY = "-two wörds [a] {b} * , $HOME & ~"
"""What looks as if it could not work: dbt 1.11 builds in a file of this name as well."""
COMMANDS = (
    ["load"],
    ["load"],
    ["status"],
    ["check"],
    ["erase", "--customer", "7", "--yes"],
)


@pytest.fixture(autouse=True)
def _sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with serve(Account(products=1, tests=6, bugs=12)) as sandbox:
        for name, value in configured(sandbox.url).items():
            monkeypatch.setenv(name, value)
        yield


def put(monkeypatch: pytest.MonkeyPatch, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("TESTIO_DUCKDB_PATH", str(path))
    return path


@pytest.fixture
def built(loaded: Path) -> Path:
    """Return a warehouse as a passed build leaves it, without the cost of one."""
    pass_build(loaded)
    return loaded


def pass_build(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "create schema testio_marts; create schema testio_audit;"
            "create table testio_marts.fct_bugs as select customer_id, id from testio_raw.bugs;"
            "create table testio_audit.passed_build as select now() as built_at,"
            " count(*) as load_count, max(load_id) as load_id,"
            " 'testio_marts' as schema_name, 'fct_bugs' as table_name,"
            " 'marts' as published_schema, 'by_customer' as published"
            " from testio_raw._dlt_loads where status = 0"
        )


# What it is called


@pytest.mark.parametrize(
    "place",
    [
        f"{NASTY}/{NASTY}.duckdb",
        'say "hi"; 1/warehouse.duckdb',
        "new.folder/plain",
        "ünï/ünï.db",
    ],
)
def test_what_is_called_oddly_works(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 15, Places: load, status, check, publish and erase."""
    path = put(monkeypatch, tmp_path / place)
    for arguments in COMMANDS[:-1]:
        run(*arguments)
    pass_build(path)
    for target, format_ in (("to.duckdb", "duckdb"), ("to", "parquet")):
        to = tmp_path / Path(place).parent / f"p {target}"
        run("publish", "--to", to, "--format", format_)
        assert to.exists()
    run(*COMMANDS[-1])


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("o'brien.duckdb", '"\'"'),
        ("o'brien/warehouse.duckdb", '"\'"'),
        ("100% ü.duckdb", "'%'"),
        ("100% ü/warehouse.duckdb", "'%'"),
        ("%s.duckdb", "'%'"),
        ("a=1.duckdb", "'='"),
        ("a=1/warehouse.duckdb", "'='"),
        ('say "hi".duckdb', "'\"'"),
        ("a?b/warehouse.duckdb", "'?'"),
        ("back\\slash.duckdb", "\\\\"),
        ("back\\slash/warehouse.duckdb", "\\\\"),
        ("new\nline.duckdb", "'newline'"),
        ("new\nline/warehouse.duckdb", "\\n"),
        ("main.duckdb", "DuckDB reserves the name"),
        ("TEMP.duckdb", "DuckDB reserves the name"),
        ("system.duckdb", "DuckDB reserves the name"),
        ("memory.duckdb", "DuckDB reserves the name"),
        ("pg_catalog.duckdb", "DuckDB reserves the name"),
        ("information_schema.duckdb", "DuckDB reserves the name"),
        ("testio_raw.duckdb", "schema of the same name"),
        ("Testio_Marts.duckdb", "schema of the same name"),
        ("x.tar.duckdb", "dbt takes 'x.tar'"),
        (".hidden.duckdb", "dbt takes '.hidden'"),
        ("a#b.duckdb", "dbt takes 'a'"),
        ("a?b.duckdb", "dbt takes 'a'"),
        ("a;b.duckdb", "dbt takes 'a'"),
        ("c#/warehouse.duckdb", "dbt takes 'c'"),
    ],
)
def test_what_cannot_be_called_so_is_refused_before_anything_is_made(
    place: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 15, Places: the same line in all commands says what to rename."""
    path = put(monkeypatch, tmp_path / place)
    with pytest.raises(WarehouseError) as refused:
        configured_file()
    assert "rename" in str(refused.value)
    assert reason in str(refused.value)
    for arguments in (*COMMANDS[1:], ["publish", "--to", "to.duckdb"], ["drop", "--yes"]):
        done = run(*arguments, status=1)
        assert str(refused.value) in done.output
        if arguments[0] != "check":
            assert done.output.count("\n") == 1
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("name", ["warehouse", NASTY, "duckdb", "a_b-1", "Main 2"])
def test_duckdb_gives_a_file_the_name_that_dbt_takes(name: str, tmp_path: Path) -> None:
    """Issue 15, Places: what is not refused has the same name in both."""
    with duckdb.connect(str(tmp_path / f"{name}.duckdb")) as connection:
        assert connection.execute("select current_database()").fetchone() == (name,)


def test_a_relative_path_is_not_refused_for_a_folder_that_dbt_does_not_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 15, Places."""
    (tmp_path / "c#").mkdir()
    monkeypatch.chdir(tmp_path / "c#")
    monkeypatch.setenv("TESTIO_DUCKDB_PATH", "warehouse.duckdb")
    run("load")


@pytest.mark.parametrize("destination", ["postgres", "iceberg"])
def test_no_destination_works_in_a_folder_that_dlt_cannot_work_in(
    destination: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 15, Places."""
    (tmp_path / "100%").mkdir()
    monkeypatch.chdir(tmp_path / "100%")
    for name, value in {
        "DESTINATION__POSTGRES__CREDENTIALS__HOST": "localhost",
        "DESTINATION__POSTGRES__CREDENTIALS__DATABASE": "none",
        "DESTINATION__POSTGRES__CREDENTIALS__USERNAME": "nobody",
        "DESTINATION__POSTGRES__CREDENTIALS__PASSWORD": "none",
        "DESTINATION__FILESYSTEM__BUCKET_URL": str(tmp_path / "bucket"),
        "ICEBERG_CATALOG__ICEBERG_CATALOG_CONFIG": (
            '{"type": "sql", "uri": "sqlite://", "warehouse": "w"}'
        ),
    }.items():
        monkeypatch.setenv(name, value)
    done = run("load", "--destination", destination, status=1)
    assert "rename the folder" in done.stderr


@pytest.mark.parametrize("name", ["marts", "Marts", "information_schema"])
def test_a_published_file_is_not_called_like_a_schema(
    name: str, built: Path, tmp_path: Path
) -> None:
    """Issue 15, Places."""
    done = run("publish", "--to", tmp_path / f"{name}.duckdb", status=1)
    assert "same name" in done.stderr


@pytest.mark.parametrize("name", ["o'brien", "100% ü", 'say "hi"', "main", "a;b", "x.tar"])
def test_a_published_file_may_be_called_anything_else(
    name: str, built: Path, tmp_path: Path
) -> None:
    """Issue 15, Places."""
    to = tmp_path / name / f"{name}.duckdb"
    publish(built, to)
    publish_parquet(built, tmp_path / name / name)
    with duckdb.connect(str(to), read_only=True) as connection:
        assert connection.execute("select count(*) > 0 from marts.fct_bugs").fetchone() == (True,)
    with duckdb.connect() as connection:
        file = str(tmp_path / name / name / "marts" / "fct_bugs.parquet")
        assert connection.read_parquet(file).fetchall()


# Who may read it


def mode(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))


@pytest.fixture(params=[0o022, 0o027], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_what_a_load_makes_is_for_its_owner_only(warehouse: Path) -> None:
    """Issue 15, Places: 0600 and 0700."""
    kill_while_landing("load")
    working = warehouse.parent / ".testio"
    assert {mode(working), mode(working / "warehouse.duckdb")} == {"0o700"}
    run("load")
    assert mode(warehouse) == "0o600"


def test_a_file_that_dbt_has_made_before_the_first_load_is_made_anew(warehouse: Path) -> None:
    """It has schemas and nothing in them, a form that DuckDB 1.x cannot read, and dbt's umask."""
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema testio_marts")
    warehouse.chmod(0o644)
    run("load")
    assert mode(warehouse) == "0o600"
    run("check")


def test_a_file_with_anything_in_it_is_not_made_anew(warehouse: Path) -> None:
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create macro theirs() as 1")
    run("load")
    with duckdb.connect(str(warehouse)) as connection:
        assert connection.execute("select theirs()").fetchone() == (1,)


def test_a_file_that_exists_keeps_its_mode_and_erasing_keeps_it(loaded: Path) -> None:
    """Issue 15, Places."""
    loaded.chmod(0o640)
    # The account that is served here has fewer products than what was loaded.
    for arguments in (["load", "--accept-deletions"], COMMANDS[-1]):
        run(*arguments)
        assert mode(loaded) == "0o640"
    if os.geteuid() == 0:
        os.chown(loaded, 65534, 65534)
        run("load")
        run(*COMMANDS[-1])
        assert loaded.stat().st_uid == 65534


def test_the_log_of_what_is_being_written_is_for_its_owner_only(
    loaded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 15, Places: DuckDB's write-ahead log holds rows as well."""
    seen: set[str] = set()
    complete = DuckDbFile.complete

    def looking(file: DuckDbFile, load_id: str) -> None:
        seen.update(mode(log) for log in file.path.parent.glob("*.wal"))
        complete(file, load_id)

    monkeypatch.setattr(DuckDbFile, "complete", looking)
    run("load", "--accept-deletions")
    assert seen == {"0o600"}


def test_what_is_published_is_for_whom_the_umask_lets_read(
    umask: int, built: Path, tmp_path: Path
) -> None:
    """Issue 15, Places: a publication is for readers, its copy in the making is not."""
    to = tmp_path / "published" / "testio.duckdb"
    folder = tmp_path / "published" / "parquet"
    for _ in range(2):
        publish(built, to)
        publish_parquet(built, folder)
        assert mode(to.parent) == oct(0o777 & ~umask)
        assert mode(to) == oct(0o444 & ~umask)
        assert {mode(file) for file in folder.rglob("*.parquet")} == {oct(0o666 & ~umask)}
        assert {mode(folder), mode(folder / "marts")} == {oct(0o777 & ~umask)}
    to.chmod(0o440)
    folder.chmod(0o750)
    publish(built, to)
    publish_parquet(built, folder)
    assert (mode(to), mode(folder)) == ("0o440", "0o750")
