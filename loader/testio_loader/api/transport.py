"""Sends requests to the API: URL, proxies, certificates, and limits of an answer's size and time.

Only this module knows the errors of the HTTP libraries. It turns each into a message with the
cause, the setting and the fix.
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
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote

import requests
from dlt.common.configuration import configspec, resolve_configuration
from dlt.common.configuration.specs import BaseConfiguration
from urllib3 import BaseHTTPResponse, PoolManager, ProxyManager, make_headers
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
from urllib3.util import Url, create_urllib3_context, parse_url

from testio_loader import settings
from testio_loader.api.base import (
    BASE_URL,
    CallError,
    TooLargeError,
    TooSlowError,
    UnreachableError,
    UnusableAnswerError,
)
from testio_loader.api.redaction import redact_url
from testio_loader.errors import ConfigurationError

_POOL_SIZE = 64
_CHUNK = 1 << 20
_MAX_ERROR_BODY = 1 << 16
"""Bytes. Nothing uses the body of an error, but reading it to its end frees the connection."""
_LARGE = 32_000_000
"""Bytes. Larger answers are read one at a time, so that memory does not have to hold ten."""
_MEGABYTE = 1_000_000
_TUNNEL = re.compile("Tunnel connection failed: ([0-9]{3})")
"""Python gives the status of a proxy that refused a tunnel only in the text of the error."""
_EXPIRED, _WRONG_HOST = (9, 10), (62, 64)
"""OpenSSL's X509_V_ERR_…: not yet or no longer valid; wrong host name or IP address."""
_CHECK_URL = "check base_url (SOURCES__TESTIO__BASE_URL)"
_PROXY = "the proxy in HTTPS_PROXY or HTTP_PROXY"

logger = logging.getLogger(__name__)
_ends_at: ContextVar[float] = ContextVar("_ends_at", default=math.inf)
"""When this thread's current call must end, by `time.monotonic`."""


@configspec
class CallLimits(BaseConfiguration):
    """Limits of one call: settings under `[sources.testio]`."""

    max_answer_mb: float = 256
    """Maximum size of a decompressed answer, in megabytes."""
    max_call_seconds: float = 300
    """Maximum time of all attempts of one call, in seconds; waits between them do not count."""


@dataclass(frozen=True)
class Response:
    """An HTTP response, decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes | bytearray


class Transport:
    """Sends requests to one API over connections that all threads share.

    Args:
        base_url: the URL of the API.
        token: sent with each request.
        timeout: seconds without a byte after which a request fails.

    Raises:
        ConfigurationError: if the configuration prevents a connection to the API.
    """

    def __init__(self, base_url: str, token: str, timeout: float) -> None:
        self.bounds = resolve_configuration(CallLimits(), sections=("sources", "testio"))
        settings.refuse(**self.bounds)
        self._timeout = timeout
        self._large_answer_lock = threading.Lock()
        base = _base(base_url)
        self._host = f"{base.host}:{base.port}" if base.port else str(base.host)
        self._pool = _manager(base).connection_from_url(base.url)
        kind: Any = self._pool.ConnectionCls  # shared by all pools, so we subclass it
        self._pool.ConnectionCls = type("_Connection", (kind,), {"response_class": _TimedResponse})
        proxy = self._pool.proxy
        self._proxy = f"{proxy.host}:{proxy.port}" if proxy else ""
        # A proxy needs the absolute URL, unless it only forwards bytes, as with https.
        is_absolute = proxy and base.scheme == "http"
        self._prefix = (base.url if is_absolute else base.request_uri).rstrip("/")
        self._headers = {**requests.utils.default_headers(), "Authorization": f"Token {token}"}

    def get(self, path: str, seconds: float) -> Response:
        """Return the response to a request, whatever its status; redirections are not followed.

        Args:
            path: relative to the base URL.
            seconds: maximum time of the whole request.

        Raises:
            TooSlowError: if it takes longer, or if no byte arrives within the time-out.
            TooLargeError: if the body is larger than `max_answer_mb`.
            UnreachableError: if the configuration prevents a connection to the API.
            UnusableAnswerError: if the connection fails or breaks off.
        """
        ends_at = time.monotonic() + seconds
        _ends_at.set(ends_at)
        try:
            response = self._pool.urlopen(
                "GET",
                f"{self._prefix}{path}",
                headers=self._headers,
                timeout=min(self._timeout, seconds),
                retries=False,  # also means: do not follow redirections
                assert_same_host=False,  # a request to a proxy names another host
                preload_content=False,
            )
            try:
                logger.debug("GET %s: HTTP %s", path, response.status)
                return Response(response.status, response.headers, self._body(response))
            finally:
                response.close()  # discards what was not read
                response.release_conn()
        # urllib3 does not convert some Python errors, such as for a chunk of negative size.
        except (HTTPError, http.client.HTTPException, OSError, ValueError) as error:
            raise self._failure(error, is_over=time.monotonic() >= ends_at) from error

    def _body(self, response: BaseHTTPResponse) -> bytes | bytearray:
        is_answer = response.status < http.HTTPStatus.MULTIPLE_CHOICES
        limit = self.bounds.max_answer_mb * _MEGABYTE if is_answer else _MAX_ERROR_BODY
        first = response.read(_CHUNK)
        chunk = response.read(_CHUNK) if first else b""
        if not chunk and len(first) <= limit:
            return first
        body = bytearray(first)
        with contextlib.ExitStack() as exclusive:
            is_waiting = True
            while chunk and len(body) <= limit:
                if is_waiting and len(body) > _LARGE:
                    exclusive.enter_context(self._large_answer_lock)
                    is_waiting = False
                body += chunk
                chunk = response.read(_CHUNK)
        if len(body) <= limit:
            return body
        if not is_answer:
            return b""
        body.clear()  # the traceback would keep it in memory
        raise TooLargeError(
            f"the answer is larger than {self.bounds.max_answer_mb:g} MB "
            "(SOURCES__TESTIO__MAX_ANSWER_MB)"
        )

    def _failure(self, error: Exception, *, is_over: bool) -> CallError:
        """Return a CallError that says how the user can fix the cause."""
        causes = list(_causes(error))

        def is_any(*kinds: type[BaseException]) -> bool:
            return any(isinstance(cause, kinds) for cause in causes)

        for cause in causes:
            if tunnel := _TUNNEL.search(str(cause)):
                return proxy_refusal(int(tunnel[1]))
            if isinstance(cause, ssl.SSLCertVerificationError):
                return self._bad_certificate(cause)
        is_proxy_fault = is_any(ProxyError) or bool(self._proxy and is_any(ConnectTimeoutError))
        where = f"the proxy {self._proxy}" if is_proxy_fault else self._host
        check = "check HTTPS_PROXY and HTTP_PROXY" if is_proxy_fault else _CHECK_URL
        if is_any(NameResolutionError):
            return UnusableAnswerError(f"no answer: the name of {where} is not known; {check}")
        if is_any(ConnectionRefusedError):
            return UnusableAnswerError(f"no answer: nothing listens at {where}; {check}")
        if is_any(NewConnectionError):
            why = next((c.strerror for c in causes if isinstance(c, OSError) and c.strerror), "")
            return UnusableAnswerError(f"no answer: {where} cannot be reached ({why}); {check}")
        if is_any(ConnectTimeoutError):
            return UnusableAnswerError(
                f"no answer: {where} accepts no connection in {self._timeout:g} seconds; {check}"
            )
        if is_any(TimedOut):
            return TooSlowError(
                f"no complete answer within {self.bounds.max_call_seconds:g} seconds "
                "(SOURCES__TESTIO__MAX_CALL_SECONDS)"
                if is_over
                else f"no answer: nothing came for {self._timeout:g} seconds "
                "(RUNTIME__REQUEST_TIMEOUT)"
            )
        if is_any(SSLError, ssl.SSLError):
            return UnusableAnswerError(
                f"no answer: {where} does not speak TLS as expected; {check}, the certificates in "
                "REQUESTS_CA_BUNDLE and the proxy"
            )
        if is_any(DecodeError):
            return UnusableAnswerError("the answer cannot be decompressed")
        return UnusableAnswerError("no answer: the connection broke off")

    def _bad_certificate(self, error: ssl.SSLCertVerificationError) -> CallError:
        cause = f"the certificate of {self._host} is not accepted ({error.verify_message})"
        bundle = "set REQUESTS_CA_BUNDLE to the file with its certificates"
        if error.verify_code in _EXPIRED:
            return UnreachableError(
                f"{cause}: its owner has to renew it, or this machine's clock is wrong; if your "
                f"proxy signs certificates, {bundle}"
            )
        if error.verify_code in _WRONG_HOST:
            return UnreachableError(
                f"{cause}: {_CHECK_URL}; if your proxy signs certificates, {bundle}"
            )
        return UnreachableError(f"{cause}: if your company signs certificates itself, {bundle}")


def proxy_refusal(status: int) -> CallError:
    """Return the error of a call that a proxy refused with this status."""
    if status == http.HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return UnreachableError(
            f"{_PROXY} requires a login (HTTP 407): put user and password into its URL, as in "
            "http://user:password@proxy:8080"
        )
    if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
        return UnusableAnswerError(f"{_PROXY} cannot reach the API (HTTP {status})")
    return UnreachableError(
        f"{_PROXY} blocks calls to the API (HTTP {status}): allow the API's host in the proxy, or "
        "add it to NO_PROXY"
    )


def _base(base_url: str) -> Url:
    """Parse the base URL, and warn if the token would be sent unencrypted."""
    try:
        base = parse_url(base_url)
        if base.scheme not in ("http", "https") or not base.host:
            raise ValueError(base_url)
    except ValueError as error:
        raise ConfigurationError(
            f"base_url {redact_url(base_url)} is not a URL that begins with https://: set "
            f"SOURCES__TESTIO__BASE_URL to one such as {BASE_URL}"
        ) from error
    if base.scheme == "http" and not _is_local(base.host):
        logger.warning(
            "The token is sent unencrypted to %s, because base_url begins with http://: set "
            "SOURCES__TESTIO__BASE_URL to a URL that begins with https://",
            redact_url(base_url),
        )
    return base._replace(auth=None, query=None, fragment=None)


def _manager(base: Url) -> PoolManager:
    """Return a connection pool for the API that uses the environment's proxy and certificates.

    requests finds these, but its own calls would take twice the time.
    """
    found = requests.Session().merge_environment_settings(base.url, {}, None, None, None)
    context = _tls(found["verify"]) if base.scheme == "https" else None
    options: dict[str, Any] = {"maxsize": _POOL_SIZE, "ssl_context": context}
    proxy = requests.utils.select_proxy(base.url, found["proxies"])
    if not proxy:
        return PoolManager(**options)
    try:
        parts = parse_url(proxy if "://" in proxy else f"http://{proxy}")
        if not parts.host:
            raise ValueError(proxy)
        login = make_headers(proxy_basic_auth=unquote(parts.auth)) if parts.auth else None
        return ProxyManager(parts.url, proxy_headers=login, proxy_ssl_context=context, **options)
    except (HTTPError, ValueError) as error:
        raise ConfigurationError(
            f"{_PROXY} is not a proxy URL: set it to one such as http://proxy:8080"
        ) from error


def _tls(bundle: str | bool | None) -> ssl.SSLContext:
    """Return a TLS context that trusts a file or folder of certificates, or those of requests."""
    path = bundle if isinstance(bundle, str) else requests.utils.DEFAULT_CA_BUNDLE_PATH
    context = create_urllib3_context()
    try:
        is_folder = Path(path).is_dir()
        context.load_verify_locations(**{"capath" if is_folder else "cafile": path})
    except OSError as error:
        raise ConfigurationError(
            f"{path} has no readable certificates: correct REQUESTS_CA_BUNDLE"
        ) from error
    return context


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all its causes."""
    waiting, seen = [error], set[int]()
    while waiting:
        cause = waiting.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        further = (*cause.args, cause.__cause__, cause.__context__)
        waiting += [other for other in further if isinstance(other, BaseException)]


class _TimedResponse(http.client.HTTPResponse):
    """A response that must arrive within the time limit of its call.

    A socket's time-out restarts with each byte, and a single read of the library may take any
    number of bytes: of the head, of a chunk, or of a proxy's answer.
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
