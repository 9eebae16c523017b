"""What starting Spark shows: the catalog's password to nobody, and of its log errors only."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from commands import _DBT, PROJECT
from engines import PASSWORD, Postgres
from spark import Spark, engine

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def local(cluster: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Spark:
    return engine(tmp_path_factory.mktemp("session"), "local[1]", cluster.another("session"))


def command_lines(inherited: str) -> Iterator[bytes]:
    """Yield those of our processes, which have inherited this variable."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if inherited.encode() in (folder / "environ").read_bytes().split(b"\0"):
                yield (folder / "cmdline").read_bytes()


def test_the_password_of_the_catalog_is_on_no_command_line(local: Spark) -> None:
    """Issue 15, row 30: `ps` showed the password, and 1,211 warnings buried what dbt said."""
    mark = f"TESTIO_MARK={os.getpid()}"
    environment = {
        **os.environ,
        **local.environment,
        "TESTIO_MARK": str(os.getpid()),
        "DBT_PROJECT_DIR": str(PROJECT),
        "DBT_PROFILES_DIR": str(local.folder),
        "DBT_TARGET_PATH": str(local.folder / "target"),
        "DBT_LOG_PATH": str(local.folder / "logs"),
    }
    (local.folder / "profiles.yml").write_text((PROJECT / "profiles.yml.example").read_text())
    statements = "create or replace table testio_marts.numbers using iceberg as select 1 as one"
    script = "{% set done = run_query('create schema if not exists testio_marts') %}"
    script += f"{{% set done = run_query('{statements}') %}}select one from testio_marts.numbers"
    seen: set[bytes] = set()
    log = local.folder / "shown"
    with (
        log.open("w") as shown,
        subprocess.Popen(
            [_DBT, "show", "--no-populate-cache", "--target", "spark", "--inline", script],
            env=environment,
            cwd=local.folder,
            stdout=shown,
            stderr=shown,
        ) as process,
    ):
        while process.poll() is None:
            seen.update(command_lines(mark))
            time.sleep(0.5)
    told = log.read_text()
    assert process.returncode == 0, told
    assert any(b"spark.sql.catalog.testio.uri" in line for line in seen)
    assert [line for line in seen if PASSWORD.encode() in line] == []
    # Spark warns with each statement; what comes before it knows its settings is a line or two.
    assert "WARN SparkSession" not in told
    assert local.query("select one from testio_marts.numbers")[1] == [(1,)]


def test_errors_are_shown(local: Spark) -> None:
    """Issue 15, row 30: only warnings are silenced."""
    nowhere = Spark(local.folder, {**local.environment, "PGPASSFILE": "/nowhere"})
    told = nowhere.dbt("show", "--inline", "select 1 as one", status=2)
    assert "password" in told
