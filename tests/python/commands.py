"""What tests of the commands share: running them, in this process or in one that is killed."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from testio_loader.commands.cli import main

PROJECT = Path(__file__).parents[2]
_DBT = Path(sys.executable).with_name("dbt")
_PARSED = Path(tempfile.mkdtemp(), "partial_parse.msgpack")
"""What dbt has read of the project: the same for any warehouse of the same name."""
DATA_ONLY = ("--exclude-resource-type", "unit_test")
"""Unit tests do not depend on what was loaded: one test runs them all."""

_LANDING_IS_KILLED = """
import os, signal, sys
from dlt.load.load import Load
from testio_loader.commands.cli import main
Load.run = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
main(sys.argv[1:])
"""
_HOLD = """
import duckdb, sys
with duckdb.connect(sys.argv[1], read_only=True):
    print("holding", flush=True)
    sys.stdin.read()
"""


def run(*arguments: object, status: int = 0) -> Result:
    """Run a command, which must end with this status."""
    done = CliRunner().invoke(main, list(map(str, arguments)))
    assert done.exit_code == status, done.output
    return done


def run_apart(*arguments: str, status: int = 0) -> str:
    """Run a command in a process of its own; return all it printed."""
    done = subprocess.run(
        [Path(sys.executable).with_name("testio-loader"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout
    return done.stdout


def run_dbt(
    warehouse: Path,
    *arguments: str,
    status: int = 0,
    environment: Mapping[str, str] = os.environ,
    program: Path = _DBT,
) -> str:
    """Run dbt on a warehouse, with the profile that the project gives as an example."""
    folder = warehouse.parent
    shutil.copy(PROJECT / "profiles.yml.example", folder / "profiles.yml")
    parsed = folder / "target" / _PARSED.name
    if _PARSED.exists() and not parsed.exists():
        parsed.parent.mkdir(exist_ok=True)
        shutil.copy(_PARSED, parsed)
    done = subprocess.run(
        [program, "--quiet", *arguments],
        env={
            **os.environ,
            **environment,
            "TESTIO_DUCKDB_PATH": warehouse.name,
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
    assert done.returncode == status, done.stdout + done.stderr
    if parsed.exists():
        shutil.copy(parsed, _PARSED)
    return done.stdout


def kill_while_landing(*arguments: str) -> str:
    """Run a command that is killed when all is read and nothing has landed."""
    done = subprocess.run(
        [sys.executable, "-c", _LANDING_IS_KILLED, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode < 0, done.stdout
    return done.stdout


@contextmanager
def reader_of(warehouse: Path) -> Iterator[int]:
    """Let another process, whose id is given, hold the file open."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(warehouse)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        process.stdout.readline()
        yield process.pid
        process.kill()


def configure(monkeypatch: pytest.MonkeyPatch, url: str, tokens: Mapping[str, str]) -> None:
    """Configure customers by name, each with its token; they are numbered from 1."""
    monkeypatch.setenv("SOURCES__TESTIO__BASE_URL", url)
    for customer_id, (name, token) in enumerate(tokens.items(), 1):
        prefix = f"SOURCES__TESTIO__CUSTOMERS__{name.upper()}"
        monkeypatch.setenv(f"{prefix}__API_TOKEN", token)
        monkeypatch.setenv(f"{prefix}__CUSTOMER_ID", str(customer_id))
