"""No token and no password is in any output or any file, whatever goes wrong, at debug level."""

import gzip
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from testio_sandbox import Account, Answer, Query, serve

pytestmark = pytest.mark.slow

TOKEN = "t0k3n-marker"
PASSWORD = "s3cr3t"
"""Stands in all credentials of the sandbox."""

_DEBUGGED = """
import logging, os, signal, sys
logging.basicConfig(level=logging.DEBUG)
from dlt.extract.extractors import ArrowExtractor
from dlt.load.load import Load
from dlt.normalize.normalize import Normalize
from testio_loader.commands.cli import main

def fail(*arguments, **options):
    raise RuntimeError("out of order")

def die(*arguments, **options):
    os.kill(os.getpid(), signal.SIGKILL)

what = sys.argv[1]
if what == "normalize fails":
    Normalize.run = fail
elif what == "landing fails":
    Load.run = fail
elif what == "a job fails":
    Load.start_new_jobs = fail
elif what == "killed while reading":
    ArrowExtractor.write_items = die
elif what == "killed while landing":
    Load.run = die
logging.getLogger().setLevel(logging.DEBUG)
main(["-v", *sys.argv[2:]])
"""


@pytest.fixture(autouse=True)
def _debugged(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    account = Account(products=2, tests=6, bugs=24)

    def failing_now_and_then(path: str, query: Query) -> Answer:
        return Answer(500) if path == "/bugs/reject_reasons" else account(path, query)

    with serve({TOKEN: failing_now_and_then}) as sandbox:
        host = sandbox.url.removeprefix("http://")
        monkeypatch.setenv("SOURCES__TESTIO__API_TOKEN", TOKEN)
        monkeypatch.setenv("SOURCES__TESTIO__CUSTOMER_ID", "1")
        monkeypatch.setenv("SOURCES__TESTIO__BASE_URL", f"http://me:{PASSWORD}@{host}")
        monkeypatch.setenv("RUNTIME__LOG_LEVEL", "DEBUG")
        yield


def debugged(what: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _DEBUGGED, what, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


def texts(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Yield what the files of a folder say, the compressed ones as well."""
    for file in folder.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            yield file, content
            if content.startswith(b"\x1f\x8b"):
                yield file, gzip.decompress(content)
            elif content.startswith(b"PAR1") and content.endswith(b"PAR1"):
                yield file, str(pq.read_table(file).to_pylist()).encode()


def assert_nothing_secret(printed: str, folder: Path) -> None:
    for secret in (TOKEN, PASSWORD):
        assert secret not in printed
        assert [file for file, text in texts(folder) if secret.encode() in text] == []


@pytest.mark.parametrize(
    "what",
    [
        "nothing fails",
        "normalize fails",
        "landing fails",
        "a job fails",
        "killed while reading",
        "killed while landing",
    ],
)
def test_a_load(what: str, tmp_path: Path) -> None:
    printed = debugged(what, "load", "--record", "archive")
    assert "|[DEBUG]|" in printed or "killed" in what
    assert_nothing_secret(printed, tmp_path)
    if what != "nothing fails":
        assert [file for file in (tmp_path / ".testio").rglob("*") if file.is_file()]
    printed = debugged("nothing fails", "load")  # finishes it first
    assert "Traceback" not in printed
    assert_nothing_secret(printed, tmp_path)


def test_a_refused_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCES__TESTIO__API_TOKEN", f"{TOKEN}-of-somebody-else")
    for command in ("check", "load"):
        printed = debugged("nothing fails", command)
        assert "refuses the token" in printed
        assert_nothing_secret(printed, tmp_path)


def test_no_api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCES__TESTIO__BASE_URL", f"http://me:{PASSWORD}@127.0.0.1:1/v2")
    for command in ("check", "load"):
        printed = debugged("nothing fails", command)
        assert "no answer" in printed
        assert_nothing_secret(printed, tmp_path)
