"""An answer has a bound in size and in time, whatever a server does, and memory stays flat."""

import gzip
import socket
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest
from conftest import Loaded, Run
from servers import Script, scripted
from test_faults import assert_all_landed

from testio_loader.api import transport
from testio_loader.api.base import CallError, TooLargeError, TooSlowError, UnusableAnswerError
from testio_loader.api.client import Client
from testio_loader.errors import ConfigurationError
from testio_sandbox import TOKEN, Account, Answer, Query, serve

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_BLANKS = 10_000_000


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCES__TESTIO__MAX_ANSWER_MB", "8")


def bomb(connection: socket.socket) -> None:
    """Send 1.5 GB of blanks in 1.5 MB."""
    member = gzip.compress(b" " * _BLANKS)
    body = member * 150
    length = f"Content-Length: {len(body)}\r\nContent-Encoding: gzip\r\n\r\n"
    connection.sendall(_HEAD + length.encode() + body)


def endless(connection: socket.socket) -> None:
    connection.sendall(_HEAD + b"Connection: close\r\n\r\n")
    while True:
        connection.sendall(b" " * 65536)


def endless_chunks(connection: socket.socket) -> None:
    connection.sendall(_HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")


@pytest.mark.parametrize("script", [bomb, endless, endless_chunks])
def test_an_answer_that_is_too_large_is_a_failed_call_in_flat_memory(
    script: Script, small: None
) -> None:
    """Issue 15, row 16: gzip of 1.5 GB of blanks, and a body without end, took 3 to 4 GB."""
    with scripted(script) as host:
        client = Client(f"http://{host}", TOKEN)
        tracemalloc.start()
        try:
            with pytest.raises(TooLargeError) as failure:
                client.get("/products", ["products"])
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert str(failure.value) == ("the answer is larger than 8 MB (SOURCES__TESTIO__MAX_ANSWER_MB)")
    assert failure.value.cost.tries == 1
    assert peak < 30_000_000


def test_many_large_answers_at_once_do_not_add_up(
    small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 15, row 16: ten calls at once would take ten times the bound."""
    monkeypatch.setattr(transport, "_LARGE", 1_000_000)
    with scripted(endless) as host, ThreadPoolExecutor(10) as pool:
        client = Client(f"http://{host}", TOKEN)
        tracemalloc.start()
        try:
            calls = [pool.submit(client.get, "/products", ["products"]) for _ in range(10)]
            assert all(isinstance(call.exception(), TooLargeError) for call in calls)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 60_000_000


def test_a_refusal_with_an_endless_body_is_a_refusal() -> None:
    """Issue 15, row 16: nobody needs the body of a 500, so nobody waits for its end."""

    def refuse(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 500 Oops\r\nConnection: close\r\n\r\n")
        while True:
            connection.sendall(b" " * 65536)

    with scripted(refuse) as host, pytest.raises(UnusableAnswerError, match="HTTP 500"):
        Client(f"http://{host}", TOKEN).get("/products", ["products"], is_last_try=True)


def dripping(start: bytes) -> Script:
    def drip(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(b" ")
            time.sleep(0.05)

    return drip


DRIPPING = {
    "before the head": b"",
    "in the head": _HEAD + b"X-Long:",
    "in the body": _HEAD + b"Content-Length: 1000000\r\n\r\n",
    "in a chunk": _HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffff\r\n",
    "in a body without a length": _HEAD + b"Connection: close\r\n\r\n",
}


@pytest.mark.parametrize("start", DRIPPING.values(), ids=DRIPPING)
def test_an_answer_that_comes_byte_by_byte_is_a_failed_call(
    start: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 15, row 16: a byte every two seconds never ran into a time-out."""
    monkeypatch.setenv("SOURCES__TESTIO__MAX_CALL_SECONDS", "0.5")
    started = time.monotonic()
    with scripted(dripping(start)) as host, pytest.raises(TooSlowError) as failure:
        Client(f"http://{host}", TOKEN).get("/products", ["products"])
    assert time.monotonic() - started < 5
    assert str(failure.value) == (
        "no complete answer within 0.5 seconds (SOURCES__TESTIO__MAX_CALL_SECONDS)"
    )


def test_all_tries_of_a_call_share_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue 15, row 16: the bound is that of a whole call, not of each of its tries."""
    monkeypatch.setenv("SOURCES__TESTIO__MAX_CALL_SECONDS", "1")

    def slowly_down(path: str, query: Query) -> Answer:
        time.sleep(0.4)
        return Answer(503)

    with serve(slowly_down) as sandbox, pytest.raises(CallError) as failure:
        Client(sandbox.url, TOKEN).get("/products", ["products"])
    assert failure.value.cost.tries <= 3  # of five, which each has time for


def test_a_batch_that_is_too_large_is_divided(
    account: Account,
    run: Run,
    warehouse: Path,
    undisturbed: Loaded,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Issue 15, row 16: as one that is too slow."""
    monkeypatch.setenv("SOURCES__TESTIO__MAX_ANSWER_MB", "1")
    asked: list[int] = []

    def padded(path: str, query: Query) -> Answer:
        found = account(path, query)
        if path != "/bugs":
            return found
        named = query["filter_test_cycle_ids"][0].count(",") + 1
        asked.append(named)
        return Answer(200, found.data() + b" " * 600_000 * named)

    assert run(padded).exit_code == 0
    assert_all_landed(warehouse, undisturbed.raw)
    assert max(asked) > 1
    assert asked.count(1) == 12


def test_the_largest_record_passes_by_default() -> None:
    """Issue 15, row 16: the bound of an answer is above that of a record."""
    product = {"id": 1, "name": "x" * 70_000_000}
    with serve(lambda path, query: Answer(200, {"products": [product]})) as sandbox:
        answer = Client(sandbox.url, TOKEN).get("/products", ["products"])
    assert answer.value == [product]


@pytest.mark.parametrize("encoding", ["", "gzip", "gzip in two parts"])
def test_an_answer_in_many_pieces_is_whole(encoding: str) -> None:
    """Issue 15, row 16: what is read in pieces is what was sent."""
    products = [{"id": number, "name": "é" * 1000} for number in range(2000)]
    body = orjson.dumps({"products": products})
    if encoding:
        middle = len(body) // 2 if "two" in encoding else len(body)
        body = gzip.compress(body[:middle], 1) + (
            gzip.compress(body[middle:], 1) if body[middle:] else b""
        )
    headers = {"Content-Encoding": "gzip"} if encoding else {}
    with serve(lambda path, query: Answer(200, body, headers)) as sandbox:
        assert Client(sandbox.url, TOKEN).get("/products", ["products"]).value == products


def test_connections_are_used_again_and_those_cut_off_are_not(small: None) -> None:
    """Issue 15, row 16: reading in pieces gives connections back."""
    connections: set[socket.socket] = set()
    turns = iter(range(100))

    def answer(connection: socket.socket) -> None:
        connections.add(connection)
        if next(turns) % 10 == 9:
            bomb(connection)
        connection.sendall(_HEAD + b'Content-Length: 16\r\n\r\n{"products": []}')

    failures = 0
    with scripted(answer) as host:
        client = Client(f"http://{host}", TOKEN)
        for _ in range(30):
            try:
                client.get("/products", ["products"])
            except TooLargeError:
                failures += 1
    assert (failures, len(connections)) == (3, 3)
    assert threading.active_count() < 50


@pytest.mark.parametrize("name", ["MAX_ANSWER_MB", "MAX_CALL_SECONDS"])
@pytest.mark.parametrize("value", ["0", "-1"])
def test_a_bound_of_nothing_is_refused(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"SOURCES__TESTIO__{name}", value)
    with pytest.raises(ConfigurationError, match=f"SOURCES__TESTIO__{name}"):
        Client("http://127.0.0.1:1", TOKEN)
