"""How long a call waits for the rate limit, by a clock that only its own sleep moves."""

import random
import time
from collections.abc import Iterator
from email.utils import formatdate
from itertools import pairwise
from types import SimpleNamespace

import pytest

from testio_loader.api import client as module
from testio_loader.api.base import CallError, ReadingStoppedError
from testio_loader.api.client import Client
from testio_sandbox import TOKEN, Answer, Query, serve


class Clock:
    """Stands in for the module `time`; what sleeps moves it on."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._started_at = time.monotonic()

    def monotonic(self) -> float:
        return self._started_at + sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if len(self.slept) > 1000:
            pytest.fail("a call that waits for ever")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    stand_in = SimpleNamespace(monotonic=clock.monotonic, sleep=clock.sleep)
    monkeypatch.setattr(module, "time", stand_in)
    monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "1")
    return clock


def refused(retry_after: Iterator[str | None]) -> CallError:
    """Return how a call ends that is refused again and again."""

    def answer(path: str, query: Query) -> Answer:
        told = next(retry_after)
        return Answer(429, {}, {} if told is None else {"Retry-After": told})

    with serve(answer) as sandbox, pytest.raises(CallError) as failure:
        Client(sandbox.url, TOKEN).get("/products", ["products"])
    return failure.value


TOLD = {
    "zero": "0",
    "negative": "-5",
    "past": formatdate(time.time() - 300, usegmt=True),
    "not said": None,
    "not to be understood": "soon",
    "beyond any number": "9" * 400,
    "a date without end": "Fri, 31 Dec 99999 23:59:59 GMT",
    "tiny": "1",
}


@pytest.mark.parametrize("told", TOLD.values(), ids=TOLD)
def test_waits_grow_and_end_in_time(told: str | None, clock: Clock) -> None:
    """Issue 15, row 14: twenty tries at once, as `Retry-After` was 0 or past, were all tries."""
    failure = refused(iter(lambda: told, 0))
    assert 1_000 < sum(clock.slept) < 1_500.01
    assert all(wait >= 0.99 * min(2**turn, 300) for turn, wait in enumerate(clock.slept))
    assert all(later >= 0.99 * sooner for sooner, later in pairwise(clock.slept))
    assert max(clock.slept) < 300.01
    assert "the rate limit (HTTP 429) did not end within 1,500 seconds" in str(failure)
    assert "SOURCES__TESTIO__MAX_IN_FLIGHT" in str(failure)
    assert not isinstance(failure, ReadingStoppedError)


def test_a_longer_wait_that_is_told_is_kept(clock: Clock) -> None:
    """Issue 15, row 14: the own back-off is the least, not the rule."""
    refused(iter(lambda: "120", 0))
    assert clock.slept[0] == pytest.approx(120, abs=1)
    assert len(clock.slept) < 12


def test_the_bound_follows_the_settings_of_dlt(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 15, row 14: it is `request_max_attempts` times `request_max_retry_delay`."""
    monkeypatch.setenv("RUNTIME__REQUEST_MAX_ATTEMPTS", "3")
    monkeypatch.setenv("RUNTIME__REQUEST_MAX_RETRY_DELAY", "20")
    assert "within 60 seconds" in str(refused(iter(lambda: "0", 1)))
    assert 30 < sum(clock.slept) < 60.01


@pytest.mark.parametrize("name", ["BACKOFF_FACTOR", "MAX_RETRY_DELAY"])
def test_settings_of_0_end_as_well(
    name: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 15, row 14: no wait at all is no reason to ask for ever."""
    monkeypatch.setenv(f"RUNTIME__REQUEST_{name}", "0")
    assert "HTTP 429" in str(refused(iter(lambda: "0", 1)))


def test_waits_of_other_calls_count_as_well(clock: Clock) -> None:
    """Issue 15, row 14: what holds all calls up has the same bound."""
    with serve(lambda path, query: Answer(200, {"products": []})) as sandbox:
        client = Client(sandbox.url, TOKEN)
        client._resume_at = clock.monotonic() + 2_000
        with pytest.raises(CallError, match="HTTP 429"):
            client.get("/products", ["products"])
    assert not sandbox.requests


def test_after_odd_refusals_in_any_order_the_answer_comes(clock: Clock) -> None:
    """Issue 15, row 14: the waits of a call grow whatever it is told."""
    told = random.Random(14).sample(list(TOLD.values()), len(TOLD))
    refusals = iter(told)

    def answer(path: str, query: Query) -> Answer:
        for retry_after in refusals:
            return Answer(429, {}, {} if retry_after is None else {"Retry-After": retry_after})
        return Answer(200, {"products": []})

    with serve(answer) as sandbox:
        found = Client(sandbox.url, TOKEN).get("/products", ["products"])
    assert found.cost.tries == len(told) + 1
    assert sum(clock.slept) >= 0.99 * (2 ** len(told) - 1)
