"""Apache Spark as one more engine of the tests: a cluster, a catalog, raw tables copied into it."""

import json
import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import yaml
from commands import PROJECT, run_dbt
from engines import PASSWORD, PREFIX, Postgres, Row, copy_raw, free_port, lake_environment
from jinja2 import Template


def driver_of_postgres() -> Path:
    """Return the file that lets Java talk to the catalog's database."""
    found = Path("/usr/share/java/postgresql.jar")
    if not found.exists():
        subprocess.run(
            ["apt-get", "install", "-qq", "--yes", "libpostgresql-jdbc-java"], check=True
        )
    return found


def iceberg() -> Path:
    """Return Iceberg's runtime for the Spark that is installed."""
    import snowpark_connect_deps_iceberg as package

    return next(Path(package.__path__[0], "jars").glob("iceberg-spark-runtime-3.5_2.12-*.jar"))


class Spark:
    """Spark with Iceberg; the environment says which cluster, and where tables are."""

    target = "spark"

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        """Where dbt writes what it writes."""
        self.environment = environment

    def dbt(self, *arguments: str, status: int = 0) -> str:
        arguments = (*arguments, "--target", self.target)
        return run_dbt(
            self.folder / "none.duckdb", *arguments, status=status, environment=self.environment
        )

    def query(self, sql: str) -> tuple[list[str], list[Row]]:
        from pyspark.sql.functions import col

        found = self.session.sql(sql)
        # As the session shows it, in UTC; else Python shows it in the machine's time zone.
        shown = [
            col(name).cast("timestamp_ntz").alias(name) if kind == "timestamp" else col(name)
            for name, kind in found.dtypes
        ]
        return found.columns, [tuple(row) for row in found.select(*shown).collect()]

    @cached_property
    def session(self) -> Any:
        """A session in this process, on its own two cores, with the catalog of the profile."""
        from pyspark.sql import SparkSession

        profile = Template((PROJECT / "profiles.yml.example").read_text())
        settings = {**os.environ, **self.environment, "TESTIO_SPARK_MASTER": "local[2]"}
        rendered = profile.render(env_var=lambda name, default="": settings.get(name, default))
        target = yaml.safe_load(rendered)["testio"]["outputs"]["spark"]
        builder = SparkSession.builder
        for name, value in target["server_side_parameters"].items():
            builder = builder.config(name, value)
        # Catalogs are a session's own, all else is of the process.
        session = builder.getOrCreate().newSession()
        for name, value in target["server_side_parameters"].items():
            if name.startswith("spark.sql.catalog."):
                session.conf.set(name, value)
        session.conf.set("spark.sql.catalog.testio.jdbc.password", PASSWORD)
        return session

    def copy_raw(self, path: Path) -> None:
        """Land what a DuckDB file has landed."""
        copy_raw(path, "iceberg", self.environment)


def engine(folder: Path, master: str, catalog: Postgres) -> Spark:
    """Return Spark on a cluster, with tables in the folder and their catalog in a database."""
    given = catalog.environment
    host, port, database = (given[f"{PREFIX}{name}"] for name in ("HOST", "PORT", "DATABASE"))
    events = folder / "events"
    events.mkdir()
    (folder / "spark-defaults.conf").write_text(
        f"spark.eventLog.enabled true\nspark.eventLog.dir file://{events}\n"
    )
    environment = {
        "SPARK_CONF_DIR": str(folder),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "TESTIO_SPARK_MASTER": master,
        "TESTIO_SPARK_JARS": f"{iceberg()},{driver_of_postgres()}",
        "TESTIO_ICEBERG_CATALOG": f"jdbc:postgresql://{host}:{port}/{database}",
        "TESTIO_ICEBERG_USER": given[f"{PREFIX}USERNAME"],
        "PGPASSFILE": str(_password_file(folder, given[f"{PREFIX}PASSWORD"])),
        "TESTIO_ICEBERG_WAREHOUSE": str(folder / "iceberg"),
        **lake_environment(folder / "iceberg", catalog),
    }
    return Spark(folder, environment)


def _password_file(folder: Path, password: str) -> Path:
    """Return PostgreSQL's file of passwords, as it has to be."""
    path = folder / "pgpass"
    path.touch(mode=0o600)
    escaped = password.replace("\\", r"\\").replace(":", r"\:")
    path.write_text(f"*:*:*:*:{escaped}\n")
    return path


def quoted(text: str) -> str:
    """Return the literal of a text in Spark's SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


@contextmanager
def cluster(folder: Path, workers: int = 2) -> Iterator[str]:
    """Run a master and workers of one core each on this machine; give the master's address."""
    import pyspark

    program = Path(pyspark.__path__[0], "bin", "spark-class")
    port, page = free_port(), free_port()
    master = f"spark://127.0.0.1:{port}"
    deploy = "org.apache.spark.deploy"
    common = ["--host", "127.0.0.1", "--webui-port"]
    commands = [[f"{deploy}.master.Master", *common, str(page), "--port", str(port)]]
    commands += [
        [f"{deploy}.worker.Worker", *common, "0", "--cores", "1", "--memory", "1g",
         "--work-dir", str(folder / "work"), master]
        for _ in range(workers)
    ]  # fmt: skip
    environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"}
    with (folder / "cluster.log").open("w") as log:
        started = [
            subprocess.Popen([program, *command], env=environment, stdout=log, stderr=log)
            for command in commands
        ]
        try:
            _await_workers(f"http://127.0.0.1:{page}/json/", workers)
            yield master
        finally:
            for process in reversed(started):
                process.terminate()
                process.wait()


def _await_workers(url: str, expected: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(URLError), urlopen(url) as answer:
            if json.load(answer)["aliveworkers"] == expected:
                return
        time.sleep(0.2)
    raise TimeoutError(f"{expected} workers did not register within a minute")


def tasks_by_executor(folder: Path) -> Counter[str]:
    """Return how many tasks each executor has run, by what Spark wrote down."""
    return Counter(
        event["Task Info"]["Executor ID"]
        for file in (folder / "events").iterdir()
        for event in map(json.loads, file.read_text().splitlines())
        if event["Event"] == "SparkListenerTaskEnd"
    )
