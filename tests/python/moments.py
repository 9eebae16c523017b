"""Loads, and other commands, that are killed at a chosen moment.

A moment is when one is about to touch a file of its own or to run a statement, or has just run
one. They are counted, so that each can be met again; what is between two of them is met by time.
"""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_FILES = {
    "open",
    "os.chmod",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.symlink",
    "shutil.rmtree",
}
KILLED = -signal.SIGKILL


class Loads:
    """A process that has loaded the program already, and starts a load whenever it is told to."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def run(
        self,
        warehouse: Path,
        *command: object,
        moment: int = 0,
        seconds: float = 0.0,
        room: int = resource.RLIM_INFINITY,
    ) -> tuple[int, str]:
        """Load, and be killed at a moment or after a time; return the exit status and the output.

        A command that is given is run instead. With `room` no file can grow beyond so many bytes.
        """
        log = warehouse.with_suffix(".log")
        assert self._process.stdin
        assert self._process.stdout
        order = warehouse, log, moment, seconds, room, *(command or ("load",))
        self._process.stdin.write("\t".join(map(str, order)) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline()), log.read_text(encoding="utf-8")

    def moments(self, warehouse: Path, *command: object) -> list[str]:
        """Run undisturbed, and return what each moment was."""
        status, _ = self.run(warehouse, *command, moment=-1)
        assert status == 0
        return warehouse.with_suffix(".moments").read_text(encoding="utf-8").splitlines()


@contextmanager
def loads(environment: Mapping[str, str]) -> Iterator[Loads]:
    with subprocess.Popen(
        [sys.executable, __file__],
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Loads(process)


def _serve() -> None:
    import testio_loader.land.pipeline  # noqa: F401 - so that a load begins at once

    for line in sys.stdin:
        warehouse, log, moment, seconds, room, *command = line.rstrip("\n").split("\t")
        child = os.fork()
        if child == 0:
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(room), int(room)))
            _run(command, Path(warehouse), log, int(moment), float(seconds))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _run(command: list[str], warehouse: Path, log: str, moment: int, seconds: float) -> None:
    from testio_loader.commands.cli import main

    os.environ["TESTIO_DUCKDB_PATH"] = str(warehouse)
    os.chdir(warehouse.parent)
    output = os.open(log, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
    os.dup2(output, 1)
    os.dup2(output, 2)
    if seconds:
        signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        signal.setitimer(signal.ITIMER_REAL, seconds)
    if moment:
        _count(warehouse, moment)
    try:
        main(command)
    except SystemExit as end:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(end.code or 0))
    os._exit(99)


def sql_client() -> Any:
    """Return the class by which a load talks to the warehouse."""
    destination = os.environ.get("TESTIO_DESTINATION")
    if destination == "iceberg":
        from pyiceberg.catalog.sql import SqlCatalog

        return SqlCatalog
    if destination == "postgres":
        from dlt.destinations.impl.postgres.sql_client import Psycopg2SqlClient

        return Psycopg2SqlClient
    from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient

    return DuckDbSqlClient


def _count(warehouse: Path, moment: int) -> None:
    from testio_loader.publish import publishing

    client = sql_client()
    passed = 0
    names: Any = warehouse.with_suffix(".moments").open("w", buffering=1) if moment < 0 else None

    def passing(name: str) -> None:
        nonlocal passed
        passed += 1
        if names:
            names.write(f"{name}\n")
        if passed == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(event: str, arguments: Any) -> None:
        if event in _FILES and str(arguments[0]).startswith(str(warehouse.parent)):
            passing(f"{event} {arguments[0]}")

    def counted(name: str, method: Any) -> Any:
        def run(self: Any, *arguments: Any, **options: Any) -> Any:
            passing(f"before {name} {arguments}"[:200].replace("\n", " "))
            done = method(self, *arguments, **options)
            passing(f"after {name}")
            return done

        return run

    for name in {"execute_query", "commit_transaction", "commit_table"} & set(dir(client)):
        setattr(client, name, counted(name, getattr(client, name)))
    publishing._OpenWarehouse.copy = counted("copy", publishing._OpenWarehouse.copy)  # type: ignore[method-assign]
    sys.addaudithook(hook)


if __name__ == "__main__":
    _serve()
