"""How an answer is got from the Test IO Customer API: access, retries, what counts as an answer."""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import requests
from dlt.common.configuration import resolve_configuration
from dlt.common.configuration.specs.runtime_configuration import RuntimeConfiguration
from dlt.sources.helpers.rest_client.auth import APIKeyAuth
from requests.adapters import HTTPAdapter
from tenacity import (
    Retrying,
    retry_base,
    retry_if_exception_type,
    retry_if_not_exception_type,
    stop_after_attempt,
)
from tenacity.wait import wait_exponential_jitter
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from loader.api import (
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
from loader.redact import redact

_POOL_SIZE = 64
_MAX_PAUSES = 20
"""How often one call waits for the rate limit before it counts as failed."""
_PROBE = "/bugs/reject_reasons", ("reject_reasons",)
"""A small question that every account has an answer to: does the API answer at all?"""
_GATEWAY_GAVE_UP = 524

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

    def __post_init__(self) -> None:
        """Open the session that all threads share."""
        self._settings = resolve_configuration(RuntimeConfiguration())
        self._session = requests.Session()
        # Not a plain header: that would give way to a .netrc.
        self._session.auth = APIKeyAuth(
            name="Authorization", api_key=f"Token {self.token}", location="header"
        )
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=_POOL_SIZE))
        # Proxies and certificates that the environment names are looked up once, not at every call.
        found = self._session.merge_environment_settings(self.base_url, {}, None, None, None)
        self._session.proxies, self._session.verify = found["proxies"], found["verify"]
        self._session.trust_env = False
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
        return datetime.now(UTC)

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
                response = self._session.get(
                    f"{self.base_url}{path}", timeout=self._settings.request_timeout
                )
                logger.debug("GET %s: HTTP %s", path, response.status_code)
            except requests.Timeout as error:
                raise TooSlow("timed out") from error
            except requests.RequestException as error:
                raise Unusable(f"no answer ({type(error).__name__})") from error
            if response.status_code != requests.codes.too_many_requests:
                return _read(response, keys, is_object), len(response.content)
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
    response: requests.Response, keys: Sequence[str], is_object: bool
) -> tuple[tuple[Any, int], int | None]:
    status = response.status_code
    if status == requests.codes.unauthorized:
        raise ReadingStopped("the API refuses the token (HTTP 401)")
    if status == requests.codes.not_found:
        raise NotFound("HTTP 404")
    if status == _GATEWAY_GAVE_UP:
        raise TooSlow("HTTP 524")
    if status >= requests.codes.internal_server_error:
        raise Unusable(f"HTTP {status}")
    if not response.ok:
        raise Refused(f"HTTP {status}")
    try:
        body, mended = parse(response.content)
        redact(body)
    except ValueError as error:
        raise Unusable("not JSON") from error
    except RecursionError as error:
        raise Unusable("nested too deeply") from error
    return (find_value(body, keys, is_object), mended), claimed_count(body)


def find_value(body: Any, keys: Sequence[str], is_object: bool) -> Any:
    """Return the list or object under the first of the keys that `body` has it under.

    Raises:
        CallFailed: if there is none.
    """
    expected = dict if is_object else list
    if isinstance(body, dict):
        for key in keys:
            if isinstance(body.get(key), expected):
                return body[key]
    elif "" in keys and isinstance(body, list) and (not body or any(map(_has_id, body))):
        return body
    wanted = " or ".join(repr(key) for key in keys if key)
    raise Unusable(f"no {expected.__name__} under {wanted}")


def _has_id(record: Any) -> bool:
    return isinstance(record, dict) and "id" in record


def claimed_count(body: Any) -> int | None:
    """Return how many records there are, if the answer says so."""
    meta = body.get("meta") if isinstance(body, dict) else None
    count = meta.get("record_count") if isinstance(meta, dict) else None
    return count if isinstance(count, int) else None
