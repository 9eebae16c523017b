"""How bytes come from the API: address, proxies and certificates, and the bounds of an answer.

The only place that knows the errors of the HTTP libraries: it turns each into a sentence with the
cause, the setting and the way out.
"""

import contextlib
import http.client
import io
import ipaddress
import logging
import math
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

import requests
from dlt.common.configuration import configspec, resolve_configuration
from dlt.common.configuration.specs import BaseConfiguration
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse, HTTPConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    SSLError,
)
from urllib3.exceptions import TimeoutError as TimedOut

from testio_loader.api.base import BASE_URL, CallFailed, Impassable, TooLarge, TooSlow, Unusable
from testio_loader.api.redaction import redact_url
from testio_loader.errors import BadConfiguration

_POOL_SIZE = 64
_CHUNK = 1 << 20
_MOST_OF_A_REFUSAL = 1 << 16
"""Bytes; nobody reads the body of an answer that is not 200, and its end frees the connection."""
_LARGE = 32_000_000
"""Bytes; of answers that are larger, one at a time is taken in, or ten would stand in memory."""
_MEGABYTE = 1_000_000
_TUNNEL = re.compile("Tunnel connection failed: ([0-9]{3})")
"""The only place in which Python tells how a proxy has refused a tunnel."""
_EXPIRED, _OF_ANOTHER_HOST = (9, 10), (62, 64)
"""OpenSSL's X509_V_ERR_…: not yet or no longer valid; for another host name or IP address."""
_CHECK_URL = "check base_url (SOURCES__TESTIO__BASE_URL)"
_PROXY = "the proxy in HTTPS_PROXY or HTTP_PROXY"

logger = logging.getLogger(__name__)
_ends_at: ContextVar[float] = ContextVar("_ends_at", default=math.inf)
"""When the call that this thread makes has to be over, by `time.monotonic`."""


@configspec
class Bounds(BaseConfiguration):
    """What an answer may cost: settings of `[sources.testio]`."""

    max_answer_mb: float = 256
    """Megabytes of an answer, decompressed."""
    max_call_seconds: float = 300
    """Seconds that the tries of one call take together; waits between them do not count."""


def bounds() -> Bounds:
    """Return the bounds that are configured.

    Raises:
        BadConfiguration: if one is not above 0.
    """
    found = resolve_configuration(Bounds(), sections=("sources", "testio"))
    for name in ("max_answer_mb", "max_call_seconds"):
        if not getattr(found, name) > 0:
            raise BadConfiguration(
                f"{name} is not above 0: set SOURCES__TESTIO__{name.upper()} to a larger number"
            )
    return found


@dataclass(frozen=True)
class Response:
    """A response as it came, decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes | bytearray


class Transport:
    """Gets responses from one API over connections that all threads share.

    Args:
        base_url: where the API is.
        token: sent with each request.
        timeout: seconds without a byte until a request fails.
        bounds: what an answer may cost.

    Raises:
        BadConfiguration: if there is no way to the API as it is configured.
    """

    def __init__(self, base_url: str, token: str, timeout: float, bounds: Bounds) -> None:
        self._timeout = timeout
        self._bounds = bounds
        self._turn = threading.Lock()
        base, host = _base(base_url)
        # requests knows the proxies and certificates that the environment names; calls go to its
        # pool, as a call by requests itself takes twice the time.
        session, adapter = requests.Session(), HTTPAdapter(pool_maxsize=_POOL_SIZE)
        found = session.merge_environment_settings(base_url, {}, None, None, None)
        try:
            pool = adapter.get_connection_with_tls_context(base, found["verify"], found["proxies"])
        # A URL without a host is a TypeError of the library.
        except (requests.RequestException, HTTPError, ValueError, TypeError) as error:
            raise BadConfiguration(
                f"{_PROXY} is no URL of a proxy: set it to one such as http://proxy:8080"
            ) from error
        try:
            adapter.cert_verify(pool, base_url, found["verify"], None)  # type: ignore[no-untyped-call]
        except OSError as error:
            raise BadConfiguration(
                f"there are no certificates in {found['verify']}: correct REQUESTS_CA_BUNDLE"
            ) from error
        self._pool = cast(HTTPConnectionPool, pool)
        kind: Any = self._pool.ConnectionCls  # everybody's, so that ours is one of its own
        self._pool.ConnectionCls = type("_Connection", (kind,), {"response_class": _Timed})
        self._host = host
        proxy = self._pool.proxy
        self._proxy = f"{proxy.host}:{proxy.port}" if proxy else ""
        self._prefix = adapter.request_url(base, found["proxies"]).rstrip("/")
        self._headers = {**requests.utils.default_headers(), "Authorization": f"Token {token}"}

    def get(self, path: str, seconds: float) -> Response:
        """Return the response to a request, whatever its status; a redirection is not followed.

        Args:
            path: below the base URL.
            seconds: how long it may take altogether.

        Raises:
            TooSlow: if it takes longer, or nothing comes for the length of the time-out.
            TooLarge: if the body is larger than `max_answer_mb`.
            Impassable: if the configured way to the API is closed.
            Unusable: if the connection cannot be made or breaks off.
        """
        ends_at = time.monotonic() + seconds
        _ends_at.set(ends_at)
        try:
            response = self._pool.urlopen(
                "GET",
                f"{self._prefix}{path}",
                headers=self._headers,
                timeout=min(self._timeout, seconds),
                retries=False,  # nor is a redirection followed
                assert_same_host=False,  # a proxy is asked for another host
                preload_content=False,
            )
            try:
                logger.debug("GET %s: HTTP %s", path, response.status)
                return Response(response.status, response.headers, self._body(response))
            finally:
                response.close()  # what was not read to its end
                response.release_conn()
        # urllib3 lets some of Python's own errors through, such as for a chunk of negative size.
        except (HTTPError, http.client.HTTPException, OSError, ValueError) as error:
            raise self._failure(error, is_over=time.monotonic() >= ends_at) from error

    def _body(self, response: BaseHTTPResponse) -> bytes | bytearray:
        is_answer = response.status < http.HTTPStatus.MULTIPLE_CHOICES
        most = self._bounds.max_answer_mb * _MEGABYTE if is_answer else _MOST_OF_A_REFUSAL
        first = response.read(_CHUNK)
        chunk = response.read(_CHUNK) if first else b""
        if not chunk and len(first) <= most:
            return first
        body = bytearray(first)
        with contextlib.ExitStack() as turn:
            is_waiting = True
            while chunk and len(body) <= most:
                if is_waiting and len(body) > _LARGE:
                    turn.enter_context(self._turn)
                    is_waiting = False
                body += chunk
                chunk = response.read(_CHUNK)
        if len(body) <= most:
            return body
        if not is_answer:
            return b""
        body.clear()  # the traceback would keep it in memory
        raise TooLarge(
            f"the answer is larger than {self._bounds.max_answer_mb:g} MB "
            "(SOURCES__TESTIO__MAX_ANSWER_MB)"
        )

    def _failure(self, error: Exception, *, is_over: bool) -> CallFailed:
        """Return what an error means to somebody who can mend it."""
        causes = list(_causes(error))

        def is_any(*kinds: type[BaseException]) -> bool:
            return any(isinstance(cause, kinds) for cause in causes)

        for cause in causes:
            if tunnel := _TUNNEL.search(str(cause)):
                return proxy_refusal(int(tunnel[1]))
            if isinstance(cause, ssl.SSLCertVerificationError):
                return self._bad_certificate(cause)
        is_proxys = is_any(ProxyError) or bool(self._proxy and is_any(ConnectTimeoutError))
        where = f"the proxy {self._proxy}" if is_proxys else self._host
        check = "check HTTPS_PROXY and HTTP_PROXY" if is_proxys else _CHECK_URL
        if is_any(NameResolutionError):
            return Unusable(f"no answer: the name of {where} is not known; {check}")
        if is_any(ConnectionRefusedError):
            return Unusable(f"no answer: nothing listens at {where}; {check}")
        if is_any(NewConnectionError):
            why = next((c.strerror for c in causes if isinstance(c, OSError) and c.strerror), "")
            return Unusable(f"no answer: {where} cannot be reached ({why}); {check}")
        if is_any(ConnectTimeoutError):
            return Unusable(
                f"no answer: {where} takes no connection within {self._timeout:g} seconds; {check}"
            )
        if is_any(TimedOut):
            return TooSlow(
                f"no whole answer within {self._bounds.max_call_seconds:g} seconds "
                "(SOURCES__TESTIO__MAX_CALL_SECONDS)"
                if is_over
                else f"no answer: nothing came for {self._timeout:g} seconds "
                "(RUNTIME__REQUEST_TIMEOUT)"
            )
        if is_any(SSLError, ssl.SSLError):
            return Unusable(
                f"no answer: {where} does not speak TLS as expected; {check}, the certificates in "
                "REQUESTS_CA_BUNDLE and the proxy"
            )
        if is_any(DecodeError):
            return Unusable("the answer cannot be decompressed")
        return Unusable("no answer: the connection broke off")

    def _bad_certificate(self, error: ssl.SSLCertVerificationError) -> CallFailed:
        cause = f"the certificate of {self._host} is not accepted ({error.verify_message})"
        bundle = "set REQUESTS_CA_BUNDLE to the file of its certificates"
        if error.verify_code in _EXPIRED:
            return Impassable(
                f"{cause}: its owner has to renew it, or this machine's clock is wrong; if a proxy "
                f"of yours signs certificates, {bundle}"
            )
        if error.verify_code in _OF_ANOTHER_HOST:
            return Impassable(
                f"{cause}: {_CHECK_URL}; if a proxy of yours signs certificates, {bundle}"
            )
        return Impassable(f"{cause}: if your company signs certificates itself, {bundle}")


def proxy_refusal(status: int) -> CallFailed:
    """Return the failure of a call that a proxy has refused with this status."""
    if status == http.HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return Impassable(
            f"{_PROXY} wants a login (HTTP 407): put user and password into it, as in "
            "http://user:password@proxy:8080"
        )
    if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unusable(f"{_PROXY} does not reach the API (HTTP {status})")
    return Impassable(
        f"{_PROXY} lets no call pass to the API (HTTP {status}): have the API's host allowed, or "
        "name it in NO_PROXY"
    )


def _base(base_url: str) -> tuple[requests.PreparedRequest, str]:
    """Return a request for the base URL, and its host; warn of a token that travels in clear."""
    try:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https"):
            raise ValueError(base_url)
        base = requests.Request("GET", base_url).prepare()
        host = parts.hostname or ""
        shown = f"{host}:{parts.port}" if parts.port else host
    except (ValueError, requests.RequestException, HTTPError) as error:
        raise BadConfiguration(
            f"the API cannot be asked: base_url {redact_url(base_url)} is no URL that begins with "
            f"https://; set SOURCES__TESTIO__BASE_URL to one such as {BASE_URL}"
        ) from error
    if parts.scheme == "http" and not _is_local(host):
        logger.warning(
            "The token travels in clear to %s, since base_url begins with http://: set "
            "SOURCES__TESTIO__BASE_URL to one that begins with https://",
            redact_url(base_url),
        )
    return base, shown


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that it stems from."""
    waiting, seen = [error], set[int]()
    while waiting:
        cause = waiting.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        further = (*cause.args, cause.__cause__, cause.__context__)
        waiting += [other for other in further if isinstance(other, BaseException)]


class _Timed(http.client.HTTPResponse):
    """A response whose bytes have to come before the call has to be over.

    A time-out of a socket begins anew with each byte, and a single read of the library may take
    any number of them: of the head, of a chunk, or of the answer of a proxy.
    """

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp: io.BufferedReader = io.BufferedReader(_TimedBytes(sock, self.fp.detach()))


class _TimedBytes(io.RawIOBase):
    def __init__(self, sock: socket.socket, raw: io.RawIOBase) -> None:
        self._socket = sock
        self._raw = raw
        self._timeout = sock.gettimeout() or math.inf

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = _ends_at.get() - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if left < self._timeout:
            self._socket.settimeout(left)
        return cast("int | None", self._raw.readinto(buffer))

    def close(self) -> None:
        self._raw.close()
        super().close()
