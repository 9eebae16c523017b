"""Serves a handler over HTTP on this machine, as the API serves an account."""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR, socket
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import orjson

BASE_PATH = "/customer/v2"
TOKEN = "sandbox"  # noqa: S105 - valid for this sandbox only
"""The accepted token, unless `serve` gets others."""

Query = Mapping[str, list[str]]


@dataclass(frozen=True)
class Answer:
    """An HTTP answer. A body of bytes is sent unchanged, any other as JSON.

    `headers` replace the default headers, so an answer can even give a wrong length.
    """

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def data(self) -> bytes:
        """Return the body as bytes."""
        return self.body if isinstance(self.body, bytes) else orjson.dumps(self.body)

    def json(self) -> Any:
        """Return the body, parsed from JSON."""
        return orjson.loads(self.data())


Handler = Callable[[str, Query], Answer]
"""Answers a path below the base URL, or raises ConnectionError to drop the connection.

A fault is a function that takes a handler and returns another one.
"""


@dataclass(frozen=True)
class Sandbox:
    """A running server: its URL, and the requests it received."""

    url: str
    _seen: list[tuple[str, Query]]

    @property
    def requests(self) -> list[tuple[str, Query]]:
        """Path and query of each request so far, including refused ones."""
        return list(self._seen)


@contextmanager
def serve(
    handler: Handler | Mapping[str, Handler], port: int = 0, latency: float = 0.0
) -> Iterator[Sandbox]:
    """Serve until the context ends.

    Args:
        handler: one handler, for the token `sandbox`; or a handler per token, to accept other
            tokens or serve several customers.
        port: 0 uses any free port.
        latency: delay of each answer in seconds.
    """
    handlers = handler if isinstance(handler, Mapping) else {TOKEN: handler}
    server = _Server(port, handlers, latency)
    # The polling interval in seconds limits the shutdown time; it does not delay answers.
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield Sandbox(f"http://127.0.0.1:{server.server_port}{BASE_PATH}", server.seen)
    finally:
        server.shutdown()
        server.server_close()
        server.hang_up()


class _Server(ThreadingHTTPServer):
    request_queue_size = 256

    def __init__(self, port: int, handlers: Mapping[str, Handler], latency: float) -> None:
        self.handlers = handlers
        self.latency = latency
        self.seen: list[tuple[str, Query]] = []
        self._open: set[socket] = set()
        super().__init__(("127.0.0.1", port), _Connection)

    def get_request(self) -> tuple[socket, Any]:
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Close the connections that clients keep alive."""
        for connection in self._open.copy():
            with suppress(OSError):  # the client has closed it first
                connection.shutdown(SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Connection(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"  # keeps connections alive
    wbufsize = -1  # sends headers together with the body
    disable_nagle_algorithm = True  # sends without waiting for acknowledgements

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        path = unquote(parts.path).removeprefix(BASE_PATH)
        query = parse_qs(parts.query, keep_blank_values=True)
        self.server.seen.append((path, query))  # atomic, so threads need no lock
        time.sleep(self.server.latency)
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        handler = self.server.handlers.get(token) if kind == "Token" else None
        if not parts.path.startswith(f"{BASE_PATH}/"):
            self._send(Answer(404, {"error": f"the API is below {BASE_PATH}"}))
        elif handler is None:
            self._send(Answer(401, {"error": "this token is not accepted"}))
        else:
            self._send(handler(path, query))

    def _refuse(self) -> None:
        headers = {"Allow": "GET", "Connection": "close"}
        self._send(Answer(405, {"error": "this sandbox is read-only"}, headers))

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _refuse  # noqa: N815

    def _send(self, answer: Answer) -> None:
        data = answer.data()
        usual = {"Content-Type": "application/json", "Content-Length": str(len(data))}
        self.send_response(answer.status)
        for name, value in (usual | dict(answer.headers)).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        """Log nothing."""
