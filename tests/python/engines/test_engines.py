"""The models give the same on every engine, whatever has landed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import PROJECT
from compare import assert_same
from engines import PASSWORD, Postgres, environment, made_on_duckdb

pytestmark = pytest.mark.slow

_LIKE_POSTGRES = """
import sys, types
from pathlib import Path
import dbt.adapters.postgres.__version__
from dbt.adapters.base import AdapterPlugin
from dbt.adapters.postgres import PostgresAdapter, PostgresCredentials
from dbt.adapters.postgres.connections import PostgresConnectionManager

class Connections(PostgresConnectionManager):
    TYPE = "redshift"

class Adapter(PostgresAdapter):
    ConnectionManager = Connections

class Credentials(PostgresCredentials):
    type = "redshift"

Path("macros").mkdir()
Path("dbt_project.yml").write_text("name: dbt_redshift")
module = types.ModuleType("dbt.adapters.redshift")
module.Plugin = AdapterPlugin(Adapter, Credentials, str(Path.cwd()), dependencies=["postgres"])
sys.modules[module.__name__] = module
sys.modules[module.__name__ + ".__version__"] = dbt.adapters.postgres.__version__

from dbt.cli.main import cli
cli()
"""
"""dbt with an adapter that takes what is there for PostgreSQL, as that of Redshift does."""


@pytest.mark.postgres
def test_whatever_has_landed_is_the_same_on_postgres(
    battered: Path, built_postgres: Postgres
) -> None:
    assert_same(made_on_duckdb(battered), built_postgres)


@pytest.mark.postgres
def test_the_password_stays_in_the_environment(built_postgres: Postgres) -> None:
    written = [path for path in built_postgres.folder.rglob("*") if path.is_file()]
    assert {"manifest.json", "dbt.log", "partial_parse.msgpack"} <= {path.name for path in written}
    assert [path for path in written if PASSWORD.encode() in path.read_bytes()] == []


@pytest.mark.postgres
def test_postgres_reads_a_document_once_a_row(built_postgres: Postgres) -> None:
    columns = "[('n', 'a', 'bigint'), ('t', 'b.c', 'timestamp')]"
    sql = built_postgres.dbt(
        "compile", "--inline", f"{{{{ project('testio_raw.bugs', 'payload', {columns}) }}}}"
    )
    _, plan = built_postgres.query(f"explain verbose {sql}")
    assert sum(line.count("try_json(") for (line,) in plan) == 1


@pytest.mark.postgres
def test_postgres_builds_each_table_without_nested_loops(built_postgres: Postgres) -> None:
    """Row by row, joins that it takes for small would last a minute with 20,000 bugs."""
    log = (built_postgres.folder / "logs" / "dbt.log").read_text()
    _, [(tables,)] = built_postgres.query(
        "select count(*) from pg_tables where schemaname in "
        "('testio_staging', 'testio_intermediate', 'testio_marts', 'testio_audit')"
    )
    assert log.count("set enable_nestloop = off") >= tables > 50


@pytest.mark.postgres
def test_marts_on_postgres_have_a_key_and_indexes(built_postgres: Postgres) -> None:
    _, rows = built_postgres.query(
        "select indexdef from pg_indexes where schemaname = 'testio_marts' "
        "and tablename = 'fct_bugs'"
    )
    indexed = {definition.split("(", 1)[1].rstrip(")") for (definition,) in rows}
    assert indexed == {
        "bug_key", "customer_id", "bug_id", "test_id", "feature_id", "test_feature_id"
    }  # fmt: skip


def test_an_engine_that_is_like_another_one_is_refused(tmp_path: Path) -> None:
    done = _compile(tmp_path, [sys.executable, "-c", _LIKE_POSTGRES], engine="redshift")
    assert done.returncode != 0
    engines = "DuckDB, PostgreSQL, Apache Spark and Databricks"
    assert f"testio runs on {engines}, not on redshift" in done.stdout


def test_postgres_compiles_without_a_server(tmp_path: Path) -> None:
    done = _compile(tmp_path, [str(Path(sys.executable).with_name("dbt"))], engine="postgres")
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "target/compiled/testio/models/marts/fct_bugs.sql").exists()


def _compile(folder: Path, dbt: list[str], engine: str) -> subprocess.CompletedProcess[str]:
    profiles = (PROJECT / "profiles.yml.example").read_text()
    (folder / "profiles.yml").write_text(profiles.replace("type: postgres", f"type: {engine}"))
    offline = ("--no-populate-cache", "--no-introspect", "--target", "postgres")
    return subprocess.run(
        [*dbt, "--quiet", "compile", *offline],
        env={
            **os.environ,
            **environment(port=1),
            "DBT_PROJECT_DIR": str(PROJECT),
            "DBT_PROFILES_DIR": str(folder),
            "DBT_TARGET_PATH": str(folder / "target"),
            "DBT_LOG_PATH": str(folder / "logs"),
        },
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
