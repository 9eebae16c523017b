"""Calls the Test IO Customer API: token, retries, rate limit and checks of the answer."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any

from dlt.common.configuration import resolve_configuration
from dlt.common.configuration.specs.runtime_configuration import RuntimeConfiguration
from tenacity import (
    Retrying,
    retry_if_exception_type,
    retry_if_not_exception_type,
)
from tenacity.wait import wait_exponential_jitter
from urllib3 import Retry
from urllib3.exceptions import InvalidHeader

from testio_loader import clock
from testio_loader.api.base import (
    Api,
    ApiResponse,
    CallCost,
    CallError,
    ForbiddenError,
    NotFoundError,
    RateLimitedError,
    RefusedError,
    TooLargeError,
    TooSlowError,
    UnauthorizedError,
    UnusableAnswerError,
)
from testio_loader.api.canonical_json import parse
from testio_loader.api.circuit_breaker import CircuitBreaker
from testio_loader.api.envelope import opened
from testio_loader.api.redaction import quoted, redact, redact_url, without
from testio_loader.api.transport import Response, Transport, proxy_refusal

_PROBES = (("/bugs/reject_reasons", ("reject_reasons",)), ("/products", ("products",)))
"""Calls that must work for every account, the smaller one first: does the API answer at all?"""
_MIN_WAIT = 0.001
"""Seconds. The first wait for the rate limit if the configured back-off is 0; later waits grow."""
_MIN_SECRET = 8
"""Minimum length, in characters, of a token that is redacted in answers."""
_FAILURES: dict[int, type[CallError]] = {
    HTTPStatus.UNAUTHORIZED: UnauthorizedError,
    HTTPStatus.FORBIDDEN: ForbiddenError,
    HTTPStatus.NOT_FOUND: NotFoundError,
    HTTPStatus.REQUEST_TIMEOUT: UnusableAnswerError,  # a request that timed out can be retried
    HTTPStatus.TOO_EARLY: UnusableAnswerError,
    524: TooSlowError,  # the gateway stopped waiting
}
_COMPLETE = (HTTPStatus.OK, HTTPStatus.NON_AUTHORITATIVE_INFORMATION)
"""Answers with another 2xx status are partial (206) or empty (202, 204, 205)."""


@dataclass
class Client(Api):
    """Calls the API with one token; safe to use from several threads.

    dlt's own settings under `[runtime]` define time-out, attempts and back-off: `request_timeout`,
    `request_max_attempts`, `request_backoff_factor` and `request_max_retry_delay`. If the rate
    limit refuses a call, the call waits as long as `Retry-After` says, but at least its back-off,
    which doubles with each refusal, and at most `request_max_retry_delay`. All its waits together
    take at most that delay times `request_max_attempts`: 1,500 seconds by default.
    `transport.CallLimits` limits the size of an answer and the time of a call's attempts.
    """

    base_url: str
    token: str = field(repr=False)
    after: datetime | None = None
    """The time of the last read in the warehouse; the times of this client's answers are later."""

    def __post_init__(self) -> None:
        """Prepare the connection to the API.

        Raises:
            ConfigurationError: if the configuration prevents it.
        """
        self._settings = resolve_configuration(RuntimeConfiguration())
        self._transport = Transport(self.base_url, self.token, self._settings.request_timeout)
        self._max_seconds = self._transport.bounds.max_call_seconds
        self._clock = clock.SteadyClock(self.after)
        self._resume_at = 0.0
        self._lock = threading.Lock()
        self._breaker = CircuitBreaker(self._probe)
        self._max_wait = (
            self._settings.request_max_attempts * self._settings.request_max_retry_delay
        )

    def get(
        self,
        path: str,
        keys: Sequence[str],
        *,
        is_object: bool = False,
        is_divisible: bool = False,
        is_last_try: bool = False,
    ) -> ApiResponse:
        """See `testio_loader.api.base.Api`."""
        call = _Call(path, keys, is_object)
        started = time.monotonic()
        try:
            body, size = self._retrying(call, is_divisible=is_divisible, is_last_try=is_last_try)(
                self._try, call
            )
        except CallError as failure:
            reported = self._breaker.failed(path, failure, is_divisible=is_divisible or is_last_try)
            reported.cost = call.cost
            raise reported from failure.__cause__
        self._breaker.succeeded(path)
        (value, mended), claimed_count = body
        return ApiResponse(
            value, call.cost, mended, claimed_count, time.monotonic() - started, size
        )

    def now(self) -> datetime:
        """See `testio_loader.api.base.Api`."""
        return self._clock.now()

    def _retrying(
        self, call: "_Call", *, is_divisible: bool = False, is_last_try: bool = False
    ) -> Retrying:
        factor = self._settings.request_backoff_factor
        attempts = 1 if is_last_try else self._settings.request_max_attempts
        not_retried = (TooLargeError, TooSlowError) if is_divisible else TooLargeError
        return Retrying(
            retry=retry_if_exception_type(UnusableAnswerError)
            & retry_if_not_exception_type(not_retried),
            stop=lambda state: (
                state.attempt_number >= attempts or call.seconds >= self._max_seconds
            ),
            wait=wait_exponential_jitter(
                multiplier=factor, max=self._settings.request_max_retry_delay, jitter=factor
            ),
            reraise=True,
        )

    def _probe(self) -> CallError | None:
        """Return None if the API answers any probe, else a failure: a 401 only if all got one."""
        failures: list[CallError] = []
        for path, keys in _PROBES:
            try:
                call = _Call(path, keys)
                self._retrying(call)(self._try, call)
            except (RefusedError, NotFoundError) as refusal:
                failures.append(refusal)
            except CallError as failure:
                return failure
            else:
                return None
        others = [failure for failure in failures if not isinstance(failure, UnauthorizedError)]
        return (others or failures)[0]

    def _try(self, call: "_Call") -> tuple[Any, int]:
        while True:
            self._wait(call)
            self._breaker.check(call.path)
            call.cost.tries += 1
            started = time.monotonic()
            try:
                left = max(self._max_seconds - call.seconds, _MIN_WAIT)
                response = self._transport.get(call.path, left)
            finally:
                call.seconds += time.monotonic() - started
            if response.status != HTTPStatus.TOO_MANY_REQUESTS:
                return self._read(response, call), len(response.body)
            self._pause(call, response.headers.get("Retry-After"))

    def _read(self, response: Response, call: "_Call") -> tuple[tuple[Any, int], int | None]:
        self._refuse(response)
        try:
            body, mended = parse(response.body)
            redact(body)
        except ValueError as error:
            if "html" in response.headers.get("Content-Type", "").lower():
                raise UnusableAnswerError(
                    "the answer is an HTML page, such as a login page, not JSON: check base_url "
                    "(SOURCES__TESTIO__BASE_URL) and the proxy in HTTPS_PROXY"
                ) from error
            raise UnusableAnswerError("not JSON") from error
        except RecursionError as error:
            raise UnusableAnswerError("nested too deeply") from error
        # An error message may quote the token, and the URL of an attachment may contain it.
        if self.token.encode() in response.body:
            body = self._without_token(body)
        value, claimed_count = opened(body, call.keys, call.is_object)
        return (value, mended), claimed_count

    def _refuse(self, response: Response) -> None:
        """Raise CallError if the status shows that a response is not a complete answer."""
        status = response.status
        if status in _COMPLETE:
            return
        if status in _FAILURES:
            raise _FAILURES[status](f"HTTP {status}")
        if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            raise proxy_refusal(status)
        location = response.headers.get("Location")
        if location and HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            where = quoted(redact_url(self._without_token(location)))
            raise RefusedError(
                f"HTTP {status}, a redirection to {where}: check base_url "
                "(SOURCES__TESTIO__BASE_URL); if that is a login page, allow the API in your proxy"
            )
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
            raise RefusedError(f"HTTP {status}")
        raise UnusableAnswerError(f"HTTP {status}")

    def _without_token(self, value: Any) -> Any:
        """Return `value` with the token redacted, unless it is so short that it may be any word."""
        return without(value, self.token) if len(self.token) >= _MIN_SECRET else value

    def _wait(self, call: "_Call") -> None:
        """Wait until the rate limit should allow calls again, according to all refusals so far."""
        while (wait := self._resume_at - time.monotonic()) > 0:
            if call.waited + wait > self._max_wait:
                raise self._rate_limited()
            time.sleep(wait)
            call.waited += wait

    def _pause(self, call: "_Call", retry_after: str | None) -> None:
        """Make every call wait, not only this one: the rate limit applies to the customer.

        `Retry-After` may be 0, or a date that has passed by this machine's clock. Each wait is
        therefore at least the call's own back-off.
        """
        if call.waited >= self._max_wait:
            raise self._rate_limited()
        try:
            requested = Retry().parse_retry_after(retry_after or "")
        except (InvalidHeader, ValueError, OverflowError):  # missing or not readable
            requested = 0
        factor = max(self._settings.request_backoff_factor, _MIN_WAIT)
        seconds = max(requested, factor * 2.0 ** min(call.refusals, 32))
        call.refusals += 1
        with self._lock:
            resume_at = time.monotonic() + min(seconds, self._settings.request_max_retry_delay)
            self._resume_at = max(self._resume_at, resume_at)

    def _rate_limited(self) -> CallError:
        return RateLimitedError(
            f"the rate limit (HTTP 429) did not end within {self._max_wait:,g} seconds: load again "
            "later, or with a smaller SOURCES__TESTIO__MAX_IN_FLIGHT"
        )


@dataclass
class _Call:
    """A call in progress, and its cost so far."""

    path: str
    keys: Sequence[str]
    is_object: bool = False
    cost: CallCost = field(default_factory=lambda: CallCost(requests=1))
    refusals: int = 0
    """How often the rate limit refused it."""
    waited: float = 0.0
    """Seconds spent waiting for the rate limit."""
    seconds: float = 0.0
    """Seconds spent on its attempts."""
