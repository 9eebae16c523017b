"""Calls that fail in a row stop what is broken, and only that."""

from concurrent.futures import ThreadPoolExecutor, wait
from threading import Event

import pytest

from testio_loader.api.base import (
    CallError,
    NotFoundError,
    RateLimitedError,
    ReadingStoppedError,
    RefusedError,
    TooSlowError,
    UnauthorizedError,
    UnusableAnswerError,
)
from testio_loader.api.circuit_breaker import CircuitBreaker


def fail(breaker: CircuitBreaker, path: str, times: int, failure: CallError, **how: bool) -> None:
    for _ in range(times):
        breaker.failed(path, failure, is_divisible=how.get("is_divisible", False))


def is_stopped(breaker: CircuitBreaker, path: str) -> bool:
    try:
        breaker.check(path)
    except ReadingStoppedError:
        return True
    return False


def test_an_api_that_is_down_is_not_asked_any_more() -> None:
    breaker = CircuitBreaker(lambda: UnusableAnswerError("HTTP 503"))
    fail(breaker, "/products/1/features", 10, UnusableAnswerError("HTTP 503"))
    fail(breaker, "/bugs", 9, TooSlowError("timed out"), is_divisible=True)
    assert not is_stopped(breaker, "/products")
    fail(breaker, "/bugs", 1, UnusableAnswerError("HTTP 502"))
    with pytest.raises(ReadingStoppedError, match="the API no longer answers: HTTP 502"):
        breaker.check("/products")


def test_an_answer_in_between_shows_that_it_is_up() -> None:
    breaker = CircuitBreaker(lambda: pytest.fail("no need to ask"))
    for _ in range(10):
        fail(breaker, "/bugs", 19, UnusableAnswerError("HTTP 503"))
        breaker.succeeded("/bugs")
        fail(breaker, "/bugs", 19, RefusedError("HTTP 422"))
        fail(breaker, "/exploratory_tests/5", 1, NotFoundError("HTTP 404"))
    assert not is_stopped(breaker, "/bugs")


def test_an_endpoint_that_is_broken_is_given_up_and_others_are_not() -> None:
    breaker = CircuitBreaker(lambda: None)
    for test in range(50):
        assert not is_stopped(breaker, f"/exploratory_tests/{test}")
        fail(breaker, f"/exploratory_tests/{test}?page=1", 1, UnusableAnswerError("not JSON"))
    with pytest.raises(ReadingStoppedError, match="given up after 50 failed calls: not JSON"):
        breaker.check("/exploratory_tests/99")
    assert not is_stopped(breaker, "/products/1/exploratory_tests")
    try:
        breaker.check("/exploratory_tests/99")
    except ReadingStoppedError as echo:
        breaker.failed("/exploratory_tests/99", echo, is_divisible=False)
    assert not is_stopped(breaker, "/products")


@pytest.mark.parametrize(
    ("failure", "is_divisible"),
    [(TooSlowError("HTTP 524"), True), (RefusedError("HTTP 403"), False)],
)
def test_what_is_to_be_expected_gives_no_endpoint_up(
    failure: CallError, is_divisible: bool
) -> None:
    breaker = CircuitBreaker(lambda: None)
    fail(breaker, "/bugs", 500, failure, is_divisible=is_divisible)
    assert not is_stopped(breaker, "/bugs")


def test_a_token_that_is_refused_ends_it_all_at_once() -> None:
    breaker = CircuitBreaker(lambda: UnauthorizedError("HTTP 401"))
    told = breaker.failed("/bugs", UnauthorizedError("HTTP 401"), is_divisible=False)
    assert isinstance(told, ReadingStoppedError)
    assert is_stopped(breaker, "/products")


def test_a_token_that_is_refused_for_one_kind_of_call_is_probed_once() -> None:
    """Issue 15, row 15: others are still asked, and 50 refusals end that kind."""
    probes: list[None] = []
    breaker = CircuitBreaker(lambda: probes.append(None))
    path = "/products/1/test_environments"
    told = breaker.failed(path, UnauthorizedError("HTTP 401"), is_divisible=False)
    assert isinstance(told, UnauthorizedError)
    for product in range(9):
        breaker.failed(
            f"/products/{product}/test_environments",
            UnauthorizedError("HTTP 401"),
            is_divisible=False,
        )
    assert len(probes) == 1
    assert not is_stopped(breaker, "/bugs")
    assert not is_stopped(breaker, path)
    fail(breaker, path, 40, UnauthorizedError("HTTP 401"))
    assert is_stopped(breaker, path)
    assert not is_stopped(breaker, "/bugs")


def test_nobody_asks_while_it_is_asked_whether_it_is_up() -> None:
    asked, answered = Event(), Event()

    def probe() -> CallError:
        asked.set()
        answered.wait(5)
        return UnusableAnswerError("HTTP 503")

    breaker = CircuitBreaker(probe)
    with ThreadPoolExecutor() as pool:
        pool.submit(fail, breaker, "/bugs", 20, UnusableAnswerError("HTTP 503"))
        assert asked.wait(5)
        other = pool.submit(is_stopped, breaker, "/products")
        assert not wait([other], timeout=0.2).done
        answered.set()
        assert other.result(5)


def test_an_endpoint_whose_rate_limit_never_ends_is_given_up() -> None:
    """Each such call waits for up to 1,500 seconds, and an account may have thousands."""
    breaker = CircuitBreaker(lambda: None)
    fail(breaker, "/bugs", 4, RateLimitedError("HTTP 429"))
    assert not is_stopped(breaker, "/bugs")
    fail(breaker, "/bugs", 1, RateLimitedError("HTTP 429"))
    assert is_stopped(breaker, "/bugs")
    assert not is_stopped(breaker, "/products")


def test_failures_of_another_sort_do_not_hasten_the_end_of_a_rate_limit() -> None:
    breaker = CircuitBreaker(lambda: None)
    fail(breaker, "/bugs", 10, UnusableAnswerError("HTTP 500"))
    fail(breaker, "/bugs", 4, RateLimitedError("HTTP 429"))
    assert not is_stopped(breaker, "/bugs")
    breaker.succeeded("/bugs")
    fail(breaker, "/bugs", 4, RateLimitedError("HTTP 429"))
    assert not is_stopped(breaker, "/bugs")
