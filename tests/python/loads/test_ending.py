"""How commands end that are told to, or cannot begin."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from threading import Event

import pytest
from commands import run, run_apart
from conftest import configured

from testio_sandbox import Account, Answer, Query, serve

pytestmark = pytest.mark.slow

PROGRAM = Path(sys.executable).with_name("testio-loader")
_STUCK = """
import sys, time
from testio_loader.commands.cli import main
import {module} as module
def stuck(*_, **__):
    print("stuck", flush=True)
    time.sleep(60)
module.{function} = stuck
main(sys.argv[1:])
"""


@contextmanager
def started(*command: object) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def assert_ends(process: "subprocess.Popen[str]", told_by: signal.Signals, sentence: str) -> None:
    began = time.monotonic()
    process.send_signal(told_by)
    _, errors = process.communicate(timeout=50)
    assert process.returncode == 128 + told_by
    lines = [line for line in errors.splitlines() if line.startswith("testio-loader: ")]
    assert len(lines) == 1, errors
    assert lines[0] == errors.splitlines()[-1]
    assert sentence in lines[0]
    assert "Traceback" not in errors
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("told_by", [signal.SIGINT, signal.SIGTERM])
def test_a_load_that_is_told_to_end_does_and_the_next_one_completes(
    told_by: signal.Signals, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 15, Messages: Ctrl-C ends with 130 and one sentence, SIGTERM with 143."""
    asked, is_slow = Event(), True

    def slow(path: str, query: Query) -> Answer:
        if is_slow and path == "/bugs/reject_reasons":
            asked.set()
            time.sleep(20)
        return account(path, query)

    with serve(slow) as sandbox:
        for name, value in configured(sandbox.url).items():
            monkeypatch.setenv(name, value)
        with started(PROGRAM, "load") as process:
            assert asked.wait(120)
            assert_ends(process, told_by, "what has landed stays, and the next load")
        is_slow = False
        run("load")
        (loaded,) = json.loads(run("status", "--json").stdout)["loads"]
        assert loaded["incomplete"] == 0


@pytest.mark.parametrize(
    ("module", "function", "command", "sentence"),
    [
        (
            "testio_loader.publish.publishing",
            "publish",
            ["publish", "--to", "to.duckdb"],
            "before is untouched",
        ),
        ("testio_loader.land.ledger", "ledger_of", ["status"], "nothing was changed"),
        ("testio_loader.land.ledger", "ledger_of", ["check"], "nothing was changed"),
        (
            "testio_loader.land.pipeline",
            "settle",
            ["erase", "--customer", "7", "--yes"],
            "run it again",
        ),
        ("testio_loader.land.pipeline", "drop", ["drop", "--yes"], "run it again"),
    ],
)
@pytest.mark.usefixtures("loaded")
def test_ctrl_c_ends_every_command_with_130_and_a_sentence(
    module: str, function: str, command: list[str], sentence: str
) -> None:
    """Issue 15, Messages."""
    stuck = _STUCK.format(module=module, function=function)
    with started(sys.executable, "-c", stuck, *command) as process:
        assert process.stdout
        while process.stdout.readline() != "stuck\n":
            assert process.poll() is None
        assert_ends(process, signal.SIGINT, sentence)


def test_ctrl_c_ends_the_sandbox_with_130_and_a_sentence() -> None:
    """Issue 15, Messages."""
    with started(PROGRAM, "sandbox") as process:
        assert process.stdout
        assert process.stdout.readline().startswith("export ")
        assert_ends(process, signal.SIGINT, "the sandbox has stopped")


def test_the_sandbox_ends_as_its_command_does() -> None:
    """Issue 15, Messages: also if that was ended by Ctrl-C, which says so itself."""
    interrupted = "import os, signal; os.kill(os.getppid(), 2); os.kill(os.getpid(), 9)"
    with started(PROGRAM, "sandbox", sys.executable, "-c", interrupted) as process:
        assert process.wait(60) == 128 + signal.SIGKILL


def test_what_the_sandbox_cannot_do_is_told_in_one_line() -> None:
    """Issue 15, Messages: a port in use, and the like."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("sandbox", "--port", port, status=1)
    assert re.search(f"cannot listen on port {port}: .* in use; choose", done.stderr)
    assert done.stderr.count("\n") == 1
    assert "not a port number" in run("sandbox", "--port", "99999", status=1).stderr
    assert "cannot run ./nothing: No such file" in run("sandbox", "./nothing", status=1).stderr
    assert "use more tests" in run("sandbox", "--tests", "1", "--bugs", "5", status=2).stderr
    assert "use more products" in run("sandbox", "--products", "0", status=2).stderr
    no_bug = run("sandbox", "--bugs", "0", "--fault", "stray_bug", status=2)
    assert "no test has bugs" in no_bug.stderr


def test_a_sandbox_that_is_not_needed_has_a_command_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCES__TESTIO__API_TOKEN", "a token")
    assert "needs a COMMAND" in run("sandbox", "--unless-configured", status=2).stderr


def test_the_version_is_that_of_the_distribution() -> None:
    """Issue 15, Messages."""
    printed = run_apart("--version")
    assert printed == f"testio-loader, version {version('testio-warehouse')}\n"


def test_nothing_is_left_of_the_waiting_thread() -> None:
    """Issue 15, Messages: signals are as before when a command has ended."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    run("status", status=1)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
