"""What tests of several engines share: an engine of one's own, and the raw tables copied into it.

Another engine is one more class like `DuckDB`, and its name in `ENGINES`.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import duckdb
import psycopg2
import pytest
from commands import run_dbt
from psycopg2.extensions import make_dsn

Row = tuple[Any, ...]
PREFIX = "DESTINATION__POSTGRES__CREDENTIALS__"
_HOSTILE_SETTINGS = ("timezone=Pacific/Kiritimati", "fsync=off", "max_wal_size=4GB")
"""Nobody is further from UTC, or was without a 31st of December 1994."""
PASSWORD = "not/a:secret@all"


class Engine(Protocol):
    """What runs the models."""

    target: str
    """The name of dbt's target for it."""

    def dbt(self, *arguments: str, status: int = 0) -> str:
        """Run dbt on it; return what it printed."""
        ...

    def query(self, sql: str) -> tuple[list[str], list[Row]]:
        """Return the columns' names and the rows."""
        ...


class DuckDB:
    """A file, as the loader writes it."""

    target = "dev"

    def __init__(self, path: Path) -> None:
        self.path = path

    def dbt(self, *arguments: str, status: int = 0) -> str:
        return run_dbt(self.path, *arguments, status=status)

    def query(self, sql: str) -> tuple[list[str], list[Row]]:
        with duckdb.connect(str(self.path), read_only=True) as connection:
            found = connection.execute(sql)
            return [column[0] for column in found.description], found.fetchall()


def made_on_duckdb(path: Path) -> DuckDB:
    engine = DuckDB(path)
    engine.dbt("run")
    return engine


class Postgres:
    """A database of which the environment says where it is."""

    target = "postgres"

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        """Where dbt writes what it writes."""
        self.environment = environment

    def dbt(self, *arguments: str, status: int = 0) -> str:
        arguments = (*arguments, "--target", self.target)
        # With debug lines in its log, which name all statements.
        environment = {**self.environment, "DBT_LOG_LEVEL_FILE": "debug"}
        return run_dbt(
            self.folder / "none.duckdb", *arguments, status=status, environment=environment
        )

    def query(self, sql: str) -> tuple[list[str], list[Row]]:
        with self.cursor() as cursor:
            cursor.execute(sql)
            return [column[0] for column in cursor.description], cursor.fetchall()

    @contextmanager
    def cursor(self, **instead: str) -> Iterator[Any]:
        """Connect, as somebody else or elsewhere if need be, committing each statement."""
        given = {
            "host": self.environment[f"{PREFIX}HOST"],
            "port": self.environment[f"{PREFIX}PORT"],
            "user": self.environment[f"{PREFIX}USERNAME"],
            "password": self.environment[f"{PREFIX}PASSWORD"],
            "dbname": self.environment[f"{PREFIX}DATABASE"],
        }
        connection = psycopg2.connect(make_dsn(**{**given, **instead}))
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    def another(self, database: str) -> "Postgres":
        """Create another database beside this one; dbt writes into a folder of its own."""
        with self.cursor(user="admin", dbname="postgres") as cursor:
            cursor.execute(f"create database {database} owner loader")
        folder = self.folder / database
        folder.mkdir()
        return Postgres(folder, {**self.environment, f"{PREFIX}DATABASE": database})

    def copy_raw(self, path: Path) -> None:
        """Land what a DuckDB file has landed."""
        copy_raw(path, "postgres", self.environment)


def copy_raw(path: Path, destination: str, environment: Mapping[str, str]) -> None:
    """Move raw from a DuckDB file to where the environment says, as people would."""
    subprocess.run(
        [Path(sys.executable).with_name("testio-loader"), "copy", "--destination", destination],
        env={**os.environ, **environment, "TESTIO_DUCKDB_PATH": str(path)},
        cwd=path.parent,
        stdout=subprocess.DEVNULL,
        check=True,
    )


def _binaries() -> Path | None:
    debian = {int(p.parts[4]): p for p in Path("/usr/lib/postgresql").glob("*/bin/initdb")}
    if debian and max(debian) >= 15:
        return debian[max(debian)].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


def binaries() -> Path:
    """Return where the server's programs are; Debian's package is installed if they are missing."""
    found = _binaries()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        subprocess.run(["apt-get", "install", "-qq", "--yes", "postgresql"], check=False)
        found = _binaries()
    if found:
        return found
    reason = "the server of PostgreSQL 15 or later is not installed"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def environment(port: int) -> dict[str, str]:
    """Return what loader and dbt go by to find a database on this machine."""
    return {
        f"{PREFIX}HOST": "127.0.0.1",
        f"{PREFIX}PORT": str(port),
        f"{PREFIX}USERNAME": "loader",
        f"{PREFIX}PASSWORD": PASSWORD,
        f"{PREFIX}DATABASE": "testio",
    }


def lake_environment(folder: Path, catalog: Postgres) -> dict[str, str]:
    """Return what the loader goes by to find Iceberg tables in a folder, by a catalog."""
    given = catalog.environment
    login = f"{given[f'{PREFIX}USERNAME']}:{quote(given[f'{PREFIX}PASSWORD'], safe='')}"
    place = f"{given[f'{PREFIX}HOST']}:{given[f'{PREFIX}PORT']}/{given[f'{PREFIX}DATABASE']}"
    properties = {
        "type": "sql",
        "uri": f"postgresql+psycopg2://{login}@{place}",
        "warehouse": folder.as_uri(),
    }
    return {
        "DESTINATION__FILESYSTEM__BUCKET_URL": folder.as_uri(),
        "ICEBERG_CATALOG__ICEBERG_CATALOG_CONFIG": json.dumps(properties),
    }


@contextmanager
def postgres(folder: Path) -> Iterator[Postgres]:
    """Run a cluster of one's own, as long as this lasts; dbt writes into the folder."""
    programs = binaries()
    with tempfile.TemporaryDirectory() as home:
        # The server refuses to run as root.
        as_server = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        password = Path(home, "password")
        password.write_text(PASSWORD)
        for path in (home, password):
            shutil.chown(path, "postgres" if as_server else None, -1)

        def run(program: str, *arguments: str) -> None:
            data = str(Path(home, "data"))
            subprocess.run(
                [*as_server, str(programs / program), "--pgdata", data, *arguments],
                check=True,
                cwd=home,
                stdout=subprocess.DEVNULL,
            )

        run(
            "initdb", "--username=admin", f"--pwfile={password}", "--auth=scram-sha-256",
            "--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US",
        )  # fmt: skip
        port = free_port()
        options = [f"-p {port}", "-h 127.0.0.1", f"-k {home}"]
        options += [f"-c {setting}" for setting in _HOSTILE_SETTINGS]
        log = str(Path(home, "log"))
        run("pg_ctl", "start", "--wait", "--log", log, "--options", " ".join(options))
        try:
            cluster = Postgres(folder, environment(port))
            with cluster.cursor(user="admin", dbname="postgres") as cursor:
                cursor.execute(f"create role loader login password '{PASSWORD}'")
                cursor.execute("create database testio owner loader")
            yield cluster
        finally:
            run("pg_ctl", "stop", "--mode=immediate")


ENGINES: dict[str, Callable[[], Engine]] = {
    "duckdb": lambda: DuckDB(Path(os.environ["TESTIO_DUCKDB_PATH"]).absolute()),
    "postgres": lambda: Postgres(Path.cwd(), os.environ),
}
"""The engines by name, as the environment says where they are."""
