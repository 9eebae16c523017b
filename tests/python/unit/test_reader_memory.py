"""A load keeps in memory what it is about to read, and not what the account has."""

import gc
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from testio_loader.api.base import ApiResponse, CallCost
from testio_loader.read.batches import BatchItem
from testio_loader.read.crawler import Crawler
from testio_loader.read.refresh_policy import EarlierLoads, RefreshPolicy
from testio_loader.read.steps import Test as WaitingTest

pytestmark = pytest.mark.slow

NOW, DAY = datetime(2026, 11, 1, tzinfo=UTC), timedelta(days=1)
TESTS = 3_000
BOUND = 1_000


class Account:
    """Tests with user stories, all in one product; what belongs to a test is slow to come."""

    max_batch = 200
    is_replay = False

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.asked = 0
        self._lock = threading.Lock()

    def get(self, path: str, keys: Any, **_: Any) -> ApiResponse:
        value: Any = []
        if path == "/products":
            value = [{"id": 1}]
        elif path.startswith("/products/1/exploratory_tests?"):
            query = dict(part.split("=") for part in path.partition("?")[2].split("&"))
            first = (int(query["page"]) - 1) * int(query["per_page"]) + 1
            last = min(first + int(query["per_page"]) - 1, TESTS)
            value = [self._test(id_) for id_ in range(first, last + 1)]
        elif path.startswith("/exploratory_tests/"):
            time.sleep(self._seconds)
            with self._lock:
                self.asked += 1
            value = self._test(int(path.split("/")[2].partition("?")[0]))
        return ApiResponse(value, CallCost(1, 1), seconds=0.1)

    def now(self) -> datetime:
        return NOW

    def has(self, path: str) -> bool:
        return True

    def lacks(self, *_: Any) -> None:
        return None

    @staticmethod
    def _test(id_: int) -> dict[str, Any]:
        stories = [{"id": id_ * 10 + n, "user_story_version_id": id_ * 10 + n} for n in range(9)]
        return {
            "id": id_,
            "status": "archived",
            "testing_type": "rapid",
            "end_at": "2020-01-01T00:00:00Z",
            "product": {"id": 1},
            "features": [{"id": id_, "user_stories": stories}],
        }


@pytest.mark.parametrize("is_first", [True, False], ids=["the first load", "one of the next"])
def test_what_waits_has_a_bound(is_first: bool) -> None:
    """Issue 15, row 25: neither tests whose turn may come, nor such that are still to be read."""
    account = Account(seconds=0.001 if is_first else 0.0)
    ids = range(1, TESTS + 1)
    ages = {id_: NOW - DAY * (2 + id_ / TESTS) for id_ in ids}
    listed = {("tests", 1): orjson.dumps(list(ids)).decode()}
    known = EarlierLoads() if is_first else EarlierLoads(ages, listed, last_load_at=NOW - DAY)
    policy = RefreshPolicy(NOW, known, settling=30 * DAY, max_age=7 * DAY)
    most = landed = 0
    for landing in Crawler(account, 7, policy, max_in_flight=4).read():
        landed += len(landing.rows) if landing.table == "tests" else 0
        if landing.table == "tests":
            waiting = sum(isinstance(thing, WaitingTest | BatchItem) for thing in gc.get_objects())
            most = max(most, waiting)
    assert landed == TESTS
    assert account.asked == (TESTS if is_first else pytest.approx(TESTS * 1.5 / 7, abs=1))
    assert 0 < most < BOUND


def test_a_walk_that_leaves_something_out_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer can cause this, but a mistake of ours can, and it must not go unnoticed."""
    monkeypatch.setattr("testio_loader.read.batches.Batches.take", lambda *_, **__: [])
    policy = RefreshPolicy(NOW, EarlierLoads(), settling=30 * DAY, max_age=7 * DAY)
    unread = r"bugs \(400\), executions \(400\), test_details \(400\), tests \(1\)"
    with pytest.raises(RuntimeError, match=unread):
        list(Crawler(Account(seconds=0.0), 7, policy, max_in_flight=4).read())
