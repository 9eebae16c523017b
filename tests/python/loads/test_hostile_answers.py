"""Answers that nobody would give on purpose: each costs what it is about, and nothing else."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import raw
from click.testing import CliRunner
from commands import run as command
from conftest import Loaded, Run, configured
from sandbox_reads import all_tests
from servers import scripted

from testio_loader.api.base import UnusableAnswerError
from testio_loader.api.client import Client
from testio_loader.commands.cli import main
from testio_sandbox import TOKEN, Account, Answer, Handler, Query, serve

pytestmark = pytest.mark.slow

_SECRET = "t0k3n-0f-s0m3b0dy"


def instead(account: Account, wanted: str, answer: Answer) -> Handler:
    """Give another answer at one path."""
    return lambda path, query: answer if path == wanted else account(path, query)


# How it comes


def test_a_chunk_of_negative_size_is_a_failed_call() -> None:
    """Python's own error came through: `check` ended with a traceback, and a load as a whole."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with (
        scripted(lambda connection: connection.sendall(head + b"-5\r\nabcde\r\n")) as host,
        pytest.raises(UnusableAnswerError, match="broke off"),
    ):
        Client(f"http://{host}", TOKEN).get("/products", ["products"])


@pytest.mark.parametrize("status", [408, 425])
def test_a_call_that_came_too_slowly_or_too_early_is_made_again(status: int) -> None:
    with (
        serve(lambda path, query: Answer(status)) as sandbox,
        pytest.raises(UnusableAnswerError) as failure,
    ):
        Client(sandbox.url, TOKEN).get("/products", ["products"])
    assert failure.value.cost.tries == 5


# What it says


@pytest.mark.parametrize("count", [True, -1, 2**63, 2.5, [1], None])
def test_a_count_that_is_none_is_ignored(
    count: Any, account: Account, run: Run, warehouse: Path
) -> None:
    """It could not land, so nothing did."""
    body = account("/products", {}).json() | {"meta": {"record_count": count}}
    assert run(instead(account, "/products", Answer(200, body))).exit_code == 0


def test_details_of_another_test_are_not_those_that_were_asked_for(
    account: Account, run: Run, loaded: Path, undisturbed: Loaded
) -> None:
    first, second, *_ = [test["id"] for test in all_tests(account)]
    other = account(f"/exploratory_tests/{second}", {}).json()
    other["exploratory_test"]["title"] = "Not what it was"
    result = run(instead(account, f"/exploratory_tests/{first}", Answer(200, other)))
    assert result.exit_code == 3
    landed = raw.read(loaded)
    assert landed.incomplete == {("test_details", None, first): "the API returned another test"}
    assert raw.differences(landed, undisturbed.raw) == []


# What of it is told


@pytest.mark.parametrize("status", [301, 304])
def test_a_redirection_is_told_in_a_short_line(status: int, account: Account, run: Run) -> None:
    headers = {"Location": f"https://login.test/{'x' * 60_000}"} if status == 301 else {}
    printed = run(instead(account, "/bugs/reject_reasons", Answer(status, b"", headers))).output
    (line,) = (line for line in printed.splitlines() if line.startswith("incomplete: "))
    assert ("https://login.test/" if headers else "reject_reasons: HTTP 304") in line
    assert len(line) < 300
    assert "?" not in line


def test_a_token_that_an_answer_carries_lands_nowhere(account: Account, tmp_path: Path) -> None:
    """An error may quote it, the address of an attachment may have it, a redirection as well."""

    def echo(path: str, query: Query) -> Answer:
        found = account(path, query)
        if path == "/bugs":
            bugs = found.json()["bugs"]
            attached = {"attachments": [{"url": f"https://files.test/{_SECRET}/1.png"}]}
            return Answer(200, {"bugs": [bug | attached | {_SECRET: 1} for bug in bugs]})
        if path == "/bugs/reject_reasons":
            return Answer(200, {"error": f"{_SECRET} is not allowed to", "reject_reasons": []})
        if path.endswith("/test_environments"):
            return Answer(302, b"", {"Location": f"https://login.test/{_SECRET}"})
        return found

    with serve({_SECRET: echo}) as sandbox:
        environment = configured(sandbox.url) | {"SOURCES__TESTIO__API_TOKEN": _SECRET}
        done = CliRunner().invoke(main, ["load", "--record", "archive"], env=environment)
    assert done.exit_code == 3, done.output
    assert "[redacted] is not allowed to" in done.output
    assert "https://login.test/[redacted]" in done.output
    assert _SECRET not in done.output
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert Path("archive/default/products.json").absolute() in files
    assert [file for file in files if _SECRET.encode() in file.read_bytes()] == []


# What was recorded


@pytest.fixture
def recording(account: Account, run: Run, monkeypatch: pytest.MonkeyPatch, warehouse: Path) -> Path:
    monkeypatch.setenv("SOURCES__TESTIO__CUSTOMER_ID", "7")
    assert run(account, "--record", "archive").exit_code == 0
    warehouse.unlink()
    return Path("archive/default")


@pytest.mark.parametrize("depth", [150, 900, 100_000])
def test_a_recorded_answer_that_is_nested_too_deeply_costs_no_other(
    depth: int, account: Account, recording: Path
) -> None:
    """It ended the replay as a whole, with the name of an error of Python's."""
    test = all_tests(account)[0]["id"]
    nested = '{"bugs":[{"id":1,"x":' + "[" * depth + "]" * depth + "}]}"
    (recording / f"bugs/filter_test_cycle_ids={test}.json").write_text(nested)
    printed = command("load", "--replay", "archive", status=3).output
    assert f"incomplete: bugs of test {test}: filter_test_cycle_ids={test}.json in the" in printed


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("recorded_at.txt", "0001-01-01T00:00:00+14:00"),
        ("recorded_at.txt", "9999-12-31T23:59:59-12:00"),
        ("recording.json", "[" * 100_000),
        ("recording.json", '{"product_ids": [Infinity], "test_ids": []}'),
        ("recording.json", '{"product_ids": [], "test_ids": [99999999999999999999]}'),
    ],
)
def test_a_recording_of_no_time_or_of_nothing_is_refused_in_a_sentence(
    name: str, content: str, recording: Path
) -> None:
    (recording / name).write_text(content)
    printed = command("load", "--replay", "archive", status=1).stderr
    assert f"archive/default/{name}" in printed
    assert "`load --record`" in printed


def test_a_copy_of_a_recording_that_has_lost_answers_is_refused(
    account: Account, recording: Path
) -> None:
    """What a finished recording does not have was not to be read, so it landed without them."""
    whole = json.loads((recording / "recording.json").read_text())["answers"]
    shutil.rmtree(recording / "bugs")
    printed = command("load", "--replay", "archive", status=1).stderr
    assert f"archive/default has only {whole - 13} of {whole} recorded answers" in printed


def test_a_recording_of_another_customer_is_refused(
    account: Account, run: Run, recording: Path, warehouse: Path
) -> None:
    """It landed, with 0, among what is another company's."""
    assert run(Account(products=2, tests=6, bugs=24, customer=5)).exit_code == 0
    before = raw.read(warehouse)
    printed = command("load", "--replay", "archive", status=1).stderr
    assert "none of the 2 known products of customer_id 7" in printed
    assert raw.differences(raw.read(warehouse), before) == []
    command("load", "--replay", "archive", "--accept-account-change")
    assert len(raw.ids(raw.read(warehouse), "products")) == 3 + 2


# What is asked for


def test_a_list_of_what_are_no_products_is_not_fine(account: Account) -> None:
    """`check` said so many products, and the load found nothing that it could key."""
    with serve(instead(account, "/products", Answer(200, {"products": [1, "x"]}))) as sandbox:
        done = CliRunner().invoke(main, ["check"], env=configured(sandbox.url))
    assert done.exit_code == 1
    assert "products: 2 in quarantine without a key" in done.stdout


@pytest.mark.parametrize("option", ["--test", "--product"])
@pytest.mark.parametrize("id_", ["99999999999999999999", "-3"])
def test_an_id_that_can_be_none_is_wrong_usage(option: str, id_: str) -> None:
    """The API's answer to it could not land: the load ended with an error of Arrow's."""
    assert "is not in the range" in command("load", option, id_, status=2).stderr
