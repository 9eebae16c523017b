"""The DuckDB file that the loader writes and dbt builds in, and who may write to it."""

import contextlib
import fcntl
import os
import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb

RAW_DATASET = "testio_raw"
STORAGE_VERSION = "v1.0.0"
"""The newest that DuckDB 1.x clients, most BI tools among them, can open."""


class WarehouseBusy(Exception):
    """Another load is writing; the message says which."""


class BadWarehouse(Exception):
    """The file cannot be used; the message says what to do."""


def warehouse_path() -> Path:
    """Return the file that `TESTIO_DUCKDB_PATH` names, `warehouse.duckdb` by default."""
    path = Path(os.environ.get("TESTIO_DUCKDB_PATH") or "warehouse.duckdb").absolute()
    if path.stem.startswith("testio_"):
        raise BadWarehouse(
            f"{path.name}: DuckDB cannot tell a file from a schema of the same name; "
            "set TESTIO_DUCKDB_PATH to a file that is not called testio_…"
        )
    if not path.parent.is_dir():
        raise BadWarehouse(f"{path.parent} does not exist; create it, or change TESTIO_DUCKDB_PATH")
    return path


def working_directory(warehouse: Path) -> Path:
    """Return the folder beside the file where dlt keeps what is under way."""
    return warehouse.parent / ".testio" / warehouse.stem


def create(warehouse: Path) -> None:
    """Create the file if there is none, in a form that DuckDB 1.x can read as well."""
    if not warehouse.exists():
        with duckdb.connect() as connection:
            attach(connection, warehouse, "warehouse")


def attach(
    connection: duckdb.DuckDBPyConnection, file: Path, name: str, *, read_only: bool = False
) -> None:
    """Attach a file under a name; one that is created can be read by DuckDB 1.x as well."""
    options = "" if file.exists() else f" (storage_version '{STORAGE_VERSION}')"
    options = " (read_only)" if read_only else options
    connection.execute(f"attach {literal(str(file))} as {name}{options}")


def quoted(*parts: str) -> str:
    """Return the name of something in SQL."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def literal(text: str) -> str:
    """Return a text in SQL, where a parameter cannot stand."""
    return "'" + text.replace("'", "''") + "'"


@contextlib.contextmanager
def opened(warehouse: Path, *, read_only: bool = False) -> Iterator[None]:
    """Keep the file open, so that whatever opens it meanwhile is quick and nobody comes between.

    Raises:
        WarehouseBusy: if another process has the file open.
        BadWarehouse: if it is no use.
    """
    try:
        connection = duckdb.connect(str(warehouse), read_only=read_only)
    except duckdb.IOException as error:
        if holder := re.search(r"held in (.+? \(PID [0-9]+\))", str(error)):
            raise WarehouseBusy(
                f"{warehouse.name} is held open by {holder[1]}; close it there, or let it open a "
                "copy, then try again"
            ) from error
        raise BadWarehouse(f"{warehouse} cannot be opened: {error}") from error
    with connection:
        yield


def check(warehouse: Path, *, read_only: bool = False) -> None:
    """Raise WarehouseBusy if another process has the file open, BadWarehouse if it is no use."""
    with opened(warehouse, read_only=read_only):
        pass


def storage_version(warehouse: Path) -> str:
    """Return in which version of DuckDB's format the file is."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        tags = "select tags['storage_version'] from duckdb_databases() where path is not null"
        (version,) = connection.execute(tags).fetchone() or ("",)
    return str(version).partition("+")[0].strip()


def holder(warehouse: Path) -> str:
    """Return who is loading at the moment; nothing if nobody is."""
    with contextlib.suppress(FileNotFoundError), _lock_file(warehouse).open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _name(Path(file.name))
    return ""


@contextlib.contextmanager
def locked(warehouse: Path) -> Iterator[None]:
    """Be the only load on this warehouse; the operating system lifts the lock if we die.

    Raises:
        WarehouseBusy: if another load is under way.
    """
    lock = _lock_file(warehouse)
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise WarehouseBusy(
                f"{warehouse.name} is being loaded by {_name(lock)}; wait until it has ended"
            ) from error
        file.truncate(0)
        started = datetime.now(UTC).isoformat(timespec="seconds")
        file.write(f"process {os.getpid()} on {socket.gethostname()} since {started}")
        file.flush()
        yield


def _lock_file(warehouse: Path) -> Path:
    return working_directory(warehouse) / "lock"


def _name(lock: Path) -> str:
    return lock.read_text(encoding="utf-8").strip() or "another process"
