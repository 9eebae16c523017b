"""How an answer is got from the Test IO Customer API: access, retries, what counts as an answer."""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, cast

import requests
from dlt.common.configuration import resolve_configuration
from dlt.common.configuration.specs.runtime_configuration import RuntimeConfiguration
from requests.adapters import HTTPAdapter
from tenacity import (
    Retrying,
    retry_base,
    retry_if_exception_type,
    retry_if_not_exception_type,
    stop_after_attempt,
)
from tenacity.wait import wait_exponential_jitter
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, Retry
from urllib3.exceptions import HTTPError, InvalidHeader, NewConnectionError
from urllib3.exceptions import TimeoutError as TimedOut

from loader import clock
from loader.api import (
    NOT_FOUND,
    Answer,
    CallFailed,
    Effort,
    NotFound,
    ReadingStopped,
    Refused,
    TooSlow,
    Unusable,
)
from loader.breaker import Breaker
from loader.canonical import parse
from loader.envelope import opened
from loader.errors import BadConfiguration
from loader.redact import redact

_POOL_SIZE = 64
_MAX_PAUSES = 20
"""How often one call waits for the rate limit before it counts as failed."""
_PROBE = "/bugs/reject_reasons", ("reject_reasons",)
"""A small question that every account has an answer to: does the API answer at all?"""
_GATEWAY_GAVE_UP = 524
_WHOLE = (HTTPStatus.OK, HTTPStatus.NON_AUTHORITATIVE_INFORMATION)
"""What comes with another 2xx is a part (206), or nothing (202, 204, 205)."""

logger = logging.getLogger(__name__)


@dataclass
class Client:
    """Reads from the API with one token; safe to use from several threads.

    Time-out, tries and back-off are dlt's own settings: `request_timeout`, `request_max_attempts`,
    `request_backoff_factor` and `request_max_retry_delay` under `[runtime]`.
    """

    base_url: str
    token: str = field(repr=False)
    max_batch = 200
    is_replay = False

    def __post_init__(self) -> None:
        """Open the pool of connections that all threads share.

        Raises:
            BadConfiguration: if there is no way to the API.
        """
        self._settings = resolve_configuration(RuntimeConfiguration())
        # requests knows the proxies and certificates that the environment names; calls go to its
        # pool, as a call by requests itself takes twice the time.
        session, adapter = requests.Session(), HTTPAdapter(pool_maxsize=_POOL_SIZE)
        try:
            base = requests.Request("GET", self.base_url).prepare()
            found = session.merge_environment_settings(self.base_url, {}, None, None, None)
            pool = adapter.get_connection_with_tls_context(base, found["verify"], found["proxies"])
            adapter.cert_verify(pool, self.base_url, found["verify"], None)  # type: ignore[no-untyped-call]
        except (OSError, HTTPError) as error:
            # Not more of it: there may be a password in a URL.
            reason = error if type(error) is OSError else type(error).__name__
            raise BadConfiguration(
                f"the API cannot be asked: {reason}; check base_url, and the proxies and "
                "certificates that the environment names"
            ) from error
        self._pool = cast(HTTPConnectionPool, pool)
        self._prefix = adapter.request_url(base, found["proxies"]).rstrip("/")
        self._headers = {**requests.utils.default_headers(), "Authorization": f"Token {self.token}"}
        self._resume_at = 0.0
        self._lock = threading.Lock()
        self._breaker = Breaker(self._is_up)

    def get(
        self,
        path: str,
        keys: Sequence[str],
        *,
        is_object: bool = False,
        is_divisible: bool = False,
        is_last_try: bool = False,
    ) -> Answer:
        """See `loader.api.Api`."""
        again = retry_if_exception_type(Unusable)
        not_slow = retry_if_not_exception_type(TooSlow if is_divisible else ())
        effort = Effort(requests=1)
        started = time.monotonic()
        try:
            body, size = self._retrying(again & not_slow, is_last_try=is_last_try)(
                self._try, path, effort, keys, is_object
            )
        except CallFailed as failure:
            failure.effort = effort
            self._breaker.failed(path, failure, is_divisible=is_divisible or is_last_try)
            raise
        self._breaker.succeeded(path)
        (value, mended), claimed_count = body
        return Answer(value, effort, mended, claimed_count, time.monotonic() - started, size)

    def now(self) -> datetime:
        """See `loader.api.Api`."""
        return clock.now()

    def has(self, path: str) -> bool:
        """Return True: whether the API has an answer is known when it was asked."""
        return True

    def _retrying(self, again: retry_base, *, is_last_try: bool = False) -> Retrying:
        factor = self._settings.request_backoff_factor
        return Retrying(
            retry=again,
            stop=stop_after_attempt(1 if is_last_try else self._settings.request_max_attempts),
            wait=wait_exponential_jitter(
                multiplier=factor, max=self._settings.request_max_retry_delay, jitter=factor
            ),
            reraise=True,
        )

    def _is_up(self) -> bool:
        try:
            path, keys = _PROBE
            self._retrying(retry_if_exception_type(Unusable))(
                self._try, path, Effort(), keys, is_object=False
            )
        except CallFailed:
            return False
        return True

    def _try(
        self, path: str, effort: Effort, keys: Sequence[str], is_object: bool
    ) -> tuple[Any, int]:
        for pause in range(_MAX_PAUSES):
            while (wait := self._resume_at - time.monotonic()) > 0:
                time.sleep(wait)
            self._breaker.check(path)
            effort.tries += 1
            try:
                response = self._pool.urlopen(
                    "GET",
                    f"{self._prefix}{path}",
                    headers=self._headers,
                    timeout=self._settings.request_timeout,
                    retries=False,  # nor is a redirection followed
                    assert_same_host=False,  # a proxy is asked for another host
                )
                logger.debug("GET %s: HTTP %s", path, response.status)
            except HTTPError as error:
                # With urllib3 it is a time-out as well if nobody listens.
                if isinstance(error, TimedOut) and not isinstance(error, NewConnectionError):
                    raise TooSlow("timed out") from error
                raise Unusable(f"no answer ({type(error).__name__})") from error
            if response.status != HTTPStatus.TOO_MANY_REQUESTS:
                return _read(response, keys, is_object), len(response.data)
            self._pause(response.headers.get("Retry-After"), pause)
        raise CallFailed("HTTP 429, again and again")

    def _pause(self, retry_after: str | None, pauses_before: int) -> None:
        """Make every call wait, not only this one: the limit is the customer's."""
        try:
            seconds = Retry().parse_retry_after(retry_after or "")
        except (InvalidHeader, ValueError, OverflowError):  # not said, or not to be understood
            seconds = self._settings.request_backoff_factor * 2**pauses_before
        with self._lock:
            resume_at = time.monotonic() + min(seconds, self._settings.request_max_retry_delay)
            self._resume_at = max(self._resume_at, resume_at)


def _read(
    response: BaseHTTPResponse, keys: Sequence[str], is_object: bool
) -> tuple[tuple[Any, int], int | None]:
    status = response.status
    if status == HTTPStatus.UNAUTHORIZED:
        raise ReadingStopped("the API refuses the token (HTTP 401)")
    if status == HTTPStatus.NOT_FOUND:
        raise NotFound(NOT_FOUND)
    if status == _GATEWAY_GAVE_UP:
        raise TooSlow("HTTP 524")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Unusable(f"HTTP {status}")
    if status >= HTTPStatus.MULTIPLE_CHOICES:
        raise Refused(f"HTTP {status}")
    if status not in _WHOLE:
        raise Unusable(f"HTTP {status}")
    try:
        body, mended = parse(response.data)
        redact(body)
    except ValueError as error:
        raise Unusable("not JSON") from error
    except RecursionError as error:
        raise Unusable("nested too deeply") from error
    value, claimed_count = opened(body, keys, is_object)
    return (value, mended), claimed_count
