"""What a reader may ask of the API, be it the API itself or an archive of its answers."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

BASE_URL = "https://api.test.io/customer/v2"


@dataclass(slots=True)
class CallCost:
    """What reading has cost: distinct calls, and tries with their repetitions."""

    requests: int = 0
    tries: int = 0

    def __add__(self, other: "CallCost") -> "CallCost":
        """Return the cost of both."""
        return CallCost(self.requests + other.requests, self.tries + other.tries)


class CallError(Exception):
    """A call brought no usable answer; the message says what came instead."""

    cost = CallCost()
    """What was spent in vain."""
    advice = ""
    """What to do if even a call fails so that every account has an answer to."""

    @property
    def explained(self) -> str:
        """The cause, and what to do about it."""
        return f"{self}; {self.advice}" if self.advice else str(self)


NOT_FOUND = "HTTP 404"


class NotFoundError(CallError):
    """The API does not know the id asked for (404)."""

    advice = "check base_url (SOURCES__TESTIO__BASE_URL)"


class RefusedError(CallError):
    """The API does not answer this (403, 422 and other 4xx); parts of it, it may."""


class ForbiddenError(RefusedError):
    """The API does not let this customer have this (403)."""

    advice = "check the token in api_token, and that it belongs to this customer"


class UnauthorizedError(RefusedError):
    """The API does not accept the token for this (401); for other things it may."""

    advice = "check the rights of the token in api_token"


class RateLimitedError(CallError):
    """The rate limit did not end within the time that a call may wait."""


class UnreachableError(CallError):
    """The way to the API is closed as it is configured: another try would not fare better."""


class UnusableAnswerError(CallError):
    """An answer of no use (5xx, cut short, of another shape); another call may fare better."""


class TooMuchError(UnusableAnswerError):
    """The answer takes too much; where possible, ask for less."""


class TooSlowError(TooMuchError):
    """The gateway (524) or the client gave up waiting."""


class TooLargeError(TooMuchError):
    """The answer is larger than is allowed; to ask for it again would bring it again."""


class ReadingStoppedError(CallError):
    """No call is made any more: the token is not accepted, or the API has ceased to answer."""


@dataclass(frozen=True)
class ApiResponse:
    """A usable answer, less credentials, and what getting it has cost."""

    value: Any
    """What stands under the expected key: a list of records, or an object."""
    cost: CallCost
    mended: int = 0
    """How many of its texts and numbers no engine could have read; see `canonical_json`."""
    claimed_count: int | None = None
    """How many records there are, if the answer says so under `meta.record_count`."""
    seconds: float = 0.0
    size: int = 0
    """Bytes."""


class Api(Protocol):
    """Answers questions; safe to use from several threads.

    What is not abstract goes for the API itself.
    """

    max_batch: int = 200
    """About how many tests one call may name."""
    is_replay: bool = False
    """Whether its answers were recorded earlier."""

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
        """Return the list (or object) that `path` answers with under one of the keys.

        Too slow an answer is not asked for again where the caller can ask for less
        (`is_divisible`), and too large a one never is. `is_last_try` spares the repetitions of a
        call that is expected to fail.

        Raises:
            NotFoundError: at once.
            ReadingStoppedError: at once; no other call would fare better.
            CallError: when no try brought a usable answer; its `effort` says how many there were.
        """

    @abstractmethod
    def now(self) -> datetime:
        """Return when the answers are given."""

    def has(self, path: str) -> bool:
        """Return whether it makes sense to ask for `path`; the API is asked to find out."""
        return True

    def lacks(self, endpoint: str, product_id: int | None, test_id: int | None) -> str | None:
        """Return what is missing in the answers to a scope, whatever they look like."""
        return None
