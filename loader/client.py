"""How an answer is got from the Test IO Customer API: access, retries, what counts as an answer."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any

import requests
from dlt.common.configuration import resolve_configuration
from dlt.common.configuration.specs.runtime_configuration import RuntimeConfiguration
from dlt.sources.helpers.rest_client.auth import APIKeyAuth
from dlt.sources.helpers.rest_client.client import RESTClient
from requests.adapters import HTTPAdapter
from tenacity import (
    Retrying,
    retry_if_exception_type,
    retry_if_not_exception_type,
    stop_after_attempt,
)
from tenacity.wait import wait_exponential_jitter
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from loader.canonical import parse

BASE_URL = "https://api.test.io/customer/v2"
_POOL_SIZE = 64
MAX_IN_FLIGHT = 10
"""Calls at once; the API's limit is not published, ten is polite."""
_MAX_PAUSES = 20
"""How often one call waits for the rate limit before it counts as failed."""
_GATEWAY_GAVE_UP = 524


@dataclass
class Effort:
    """What reading has cost: distinct calls, and tries with their repetitions."""

    requests: int = 0
    tries: int = 0

    def __add__(self, other: "Effort") -> "Effort":
        """Return the cost of both."""
        return Effort(self.requests + other.requests, self.tries + other.tries)


class AccessDenied(Exception):
    """The token is not accepted (401), or not for this customer's data (403)."""


class CallFailed(Exception):
    """A call brought no usable answer; the message says what came instead."""

    effort = Effort()
    """What was spent in vain."""


class NotFound(CallFailed):
    """The API does not know the id asked for (404)."""


class _Unusable(CallFailed):
    """Worth another try."""


class TooSlow(_Unusable):
    """The gateway (524) or this client gave up waiting; where possible, ask for less."""


@dataclass(frozen=True)
class Answer:
    """A usable answer: the value under the expected key, and what getting it has cost."""

    value: Any
    mended: int
    """How many of its texts and numbers no engine could have read; see `loader.canonical`."""
    effort: Effort
    seconds: float


@dataclass
class Client:
    """Reads from the API with one token; safe to use from several threads.

    Time-out, tries and back-off are dlt's own settings: `request_timeout`, `request_max_attempts`,
    `request_backoff_factor` and `request_max_retry_delay` under `[runtime]`.
    """

    base_url: str
    token: str = field(repr=False)

    def __post_init__(self) -> None:
        """Open the session that all threads share."""
        self._settings = resolve_configuration(RuntimeConfiguration())
        session = requests.Session()
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(pool_maxsize=_POOL_SIZE))
        auth = APIKeyAuth(name="Authorization", api_key=f"Token {self.token}", location="header")
        self._rest = RESTClient(self.base_url, auth=auth, session=session)
        self._resume_at = 0.0
        self._lock = threading.Lock()

    def get(
        self, path: str, key: str, params: dict[str, Any] | None = None, *, divisible: bool = False
    ) -> Answer:
        """Return what `path` answers with under `key`: a list for a plural key, else an object.

        A slow answer is not asked for again where the caller can ask for less (`divisible`).

        Raises:
            AccessDenied: at once; no other call would fare better.
            NotFound: at once.
            CallFailed: when no try brought a usable answer; its `effort` says how many there were.
        """
        effort = Effort(requests=1)
        again = (
            (retry_if_exception_type(_Unusable) & retry_if_not_exception_type(TooSlow))
            if divisible
            else retry_if_exception_type(_Unusable)
        )
        factor = self._settings.request_backoff_factor
        retrying = Retrying(
            retry=again,
            stop=stop_after_attempt(self._settings.request_max_attempts),
            wait=wait_exponential_jitter(
                multiplier=factor, max=self._settings.request_max_retry_delay, jitter=factor
            ),
            reraise=True,
        )
        started = time.monotonic()
        try:
            value, mended = retrying(self._try, path, key, params, effort)
        except CallFailed as failure:
            failure.effort = effort
            raise
        return Answer(value, mended, effort, time.monotonic() - started)

    def _try(
        self, path: str, key: str, params: dict[str, Any] | None, effort: Effort
    ) -> tuple[Any, int]:
        for pause in range(_MAX_PAUSES):
            time.sleep(max(0.0, self._resume_at - time.monotonic()))
            effort.tries += 1
            try:
                response = self._rest.get(path, params, timeout=self._settings.request_timeout)
            except requests.Timeout as error:
                raise TooSlow("timed out") from error
            except requests.RequestException as error:
                raise _Unusable(f"no answer ({type(error).__name__})") from error
            if response.status_code != requests.codes.too_many_requests:
                return _read(response, key)
            self._pause(response.headers.get("Retry-After"), pause)
        raise CallFailed("HTTP 429, again and again")

    def _pause(self, retry_after: str | None, pauses_before: int) -> None:
        """Make every call wait, not only this one: the limit is the customer's."""
        try:
            seconds = Retry().parse_retry_after(retry_after or "")
        except InvalidHeader:
            seconds = self._settings.request_backoff_factor * 2**pauses_before
        with self._lock:
            resume_at = time.monotonic() + min(seconds, self._settings.request_max_retry_delay)
            self._resume_at = max(self._resume_at, resume_at)


def _read(response: requests.Response, key: str) -> tuple[Any, int]:
    status = response.status_code
    if status in (requests.codes.unauthorized, requests.codes.forbidden):
        raise AccessDenied(f"HTTP {status}")
    if status == requests.codes.not_found:
        raise NotFound("HTTP 404")
    if status == _GATEWAY_GAVE_UP:
        raise TooSlow("HTTP 524")
    if status >= requests.codes.internal_server_error:
        raise _Unusable(f"HTTP {status}")
    if not response.ok:
        raise CallFailed(f"HTTP {status}")
    try:
        body, mended = parse(response.content)
    except ValueError as error:
        raise _Unusable("not JSON") from error
    expected = list if key.endswith("s") else dict
    if not isinstance(body, dict) or not isinstance(body.get(key), expected):
        raise _Unusable(f"no {expected.__name__} under {key!r}")
    return body[key], mended
