"""Defines the interface of the API, live or recorded: its calls, their errors and their costs."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

BASE_URL = "https://api.test.io/customer/v2"


@dataclass(slots=True)
class CallCost:
    """The cost of reading: calls, and attempts including retries (`tries`)."""

    requests: int = 0
    tries: int = 0

    def __add__(self, other: "CallCost") -> "CallCost":
        """Return the sum of both costs."""
        return CallCost(self.requests + other.requests, self.tries + other.tries)


class CallError(Exception):
    """A call got no usable answer; the message says what happened instead."""

    cost = CallCost()
    """Calls and attempts made before it failed."""
    advice = ""
    """What the user can do if this happens to a call that must work for every account."""

    @property
    def explained(self) -> str:
        """The cause, and the advice if there is any."""
        return f"{self}; {self.advice}" if self.advice else str(self)


NOT_FOUND = "HTTP 404"


class NotFoundError(CallError):
    """The API does not know the requested id (404)."""

    advice = "check base_url (SOURCES__TESTIO__BASE_URL)"


class RefusedError(CallError):
    """The API refuses the call (403, 422 and other 4xx), but may answer calls for parts of it."""


class ForbiddenError(RefusedError):
    """The API denies this customer access to the requested data (403)."""

    advice = "check the token in api_token, and that it belongs to this customer"


class UnauthorizedError(RefusedError):
    """The API does not accept the token for this call (401), but may for other calls.

    `circuit_breaker` ends the load if the API accepts it for no call.
    """

    advice = "check the permissions of the token in api_token"


class RateLimitedError(CallError):
    """The rate limit lasted longer than a call may wait."""


class UnreachableError(CallError):
    """The configuration prevents a connection to the API, so a retry would fail as well."""


class UnusableAnswerError(CallError):
    """The answer is unusable (5xx, truncated or of the wrong shape); a retry may succeed."""


class TooMuchError(UnusableAnswerError):
    """The answer is too slow or too large; if possible, request less."""


class TooSlowError(TooMuchError):
    """The gateway (524) or the client stopped waiting."""


class TooLargeError(TooMuchError):
    """The answer is larger than allowed; a retry would get the same answer."""


class ReadingStoppedError(CallError):
    """The circuit breaker stopped the call, because similar calls were refused or kept failing."""


@dataclass(frozen=True)
class ApiResponse:
    """A usable answer without credentials, and the cost of getting it."""

    value: Any
    """The content under the expected key: a list of records, or an object."""
    cost: CallCost
    mended: int = 0
    """How many of its values were mended, since engines cannot read them; see `canonical_json`."""
    claimed_count: int | None = None
    """The number of records according to the answer's `meta.record_count`, if it has one."""
    seconds: float = 0.0
    size: int = 0
    """Bytes."""


class Api(Protocol):
    """Answers calls; safe to use from several threads.

    Members that are not abstract have the values of the live API.
    """

    max_batch: int = 200
    """About how many tests one call may request."""
    is_replay: bool = False
    """Whether its answers come from a recording."""

    @abstractmethod
    def get(
        self,
        path: str,
        keys: Sequence[str],
        *,
        is_object: bool = False,
        is_divisible: bool = False,
        is_last_try: bool = False,
    ) -> ApiResponse:
        """Call `path` and return the list (or object) under one of the keys.

        A call whose answer is too large is never retried.

        Args:
            is_divisible: the caller can request less, so a call that is too slow is not retried.
            is_last_try: no retries, for a call that is expected to fail.

        Raises:
            NotFoundError: without a retry.
            ReadingStoppedError: without a retry, since similar calls would fail as well.
            CallError: if no attempt got a usable answer; `cost` has the number of attempts.
        """

    @abstractmethod
    def now(self) -> datetime:
        """Return the time of the answers: now, or when they were recorded."""

    def has(self, path: str) -> bool:
        """Return whether `path` can have an answer; for the live API, only a call shows that."""
        return True

    def lacks(self, endpoint: str, product_id: int | None, test_id: int | None) -> str | None:
        """Return why the answers to a scope are incomplete, even if they look complete."""
        return None
