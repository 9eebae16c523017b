"""The plan of the synthetic account: ids, parents and children of records, and times of tests.

Each record has a number, counted from 0. Random values come from a generator seeded with a name, so
they are the same in every order and in every process.

All times are planned up to the last day. On an earlier day, the account lacks what comes later, and
has the bugs that are deleted later.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import accumulate
from random import Random
from typing import NamedTuple
from zlib import crc32

from testio_sandbox import traps
from testio_sandbox.content import CHARACTERS, STORIES, TOPICS, Character, Topic

IDS_PER_CUSTOMER = 100_000_000
_FIRST_IDS = {
    "products": 101,
    "environments": 301,
    "test_templates": 601,
    "sections": 1_001,
    "features": 10_001,
    "tests": 20_001,
    "user_stories": 100_001,
    "test_features": 1_000_001,
    "bugs": 5_000_001,
    "executions": 50_000_001,
}
_FEATURES_PER_PRODUCT = 100
_FEATURES_PER_TEST = 10
_STORIES_PER_PRODUCT = 1000
_STORIES_PER_TEST_FEATURE = 100
_STORY_NUMBERS = {path: number for number, path in enumerate(STORIES)}
_DAYS = 548
_SEASON = {1: 1, 2: 2, 3: 2, 4: 2, 5: 3, 6: 2, 7: 1, 8: 1, 9: 3, 10: 4, 11: 4, 12: 2}
"""Relative number of tests per month."""
_NEWEST = (  # status, days from today to the start, relative number of bugs
    ("initialized", None, 0.0),
    ("pending", 9, 0.0),
    ("waiting", 6, 0.0),
    ("customer_finalized", 3, 0.0),
    ("running", -1, 0.5),
    ("running", -2, 0.7),
    ("locked", -5, 1.0),
    ("locked", -8, 1.0),
    ("completed", -12, 0.6),
)
TESTING_TYPES = ("coverage", "focused", "rapid", "usability", "external", None)
_LISTED_BEFORE_START = timedelta(days=10)
_LOCKED = {"archived": timedelta(days=10), "completed": timedelta(days=6)}
"""Time from a test's end to its final status; when archived, all its bugs are decided."""
_DELETED_PERCENT = 35
"""Share of tests in which a bug is deleted later, as a duplicate for example."""
_UNTIL_BUGS_STAY = timedelta(days=11)
"""Time from a test's start after which no bug is reported or deleted; see `_HOURS`."""
_HOURS = {"rapid": 4, "focused": 24, "usability": 48, "external": 120}


class Cycle(NamedTuple):
    """The values that a test and its bugs share."""

    product: int
    status: str
    start: datetime | None
    end: datetime | None
    picks: tuple[int, ...]
    """The places of its features in the product's catalogue."""
    bugs: float
    """The number of its bugs, relative to other tests."""


class Run(NamedTuple):
    """A user story that a tester ran in a test."""

    story_id: int
    version_id: int
    test: int
    place: int
    """Identifies the run within its test."""


class Plan:
    """Computes all records by arithmetic; stores only an outline of each test."""

    def __init__(
        self,
        products: int,
        tests: int,
        bugs: int,
        seed: int,
        customer: int | str,
        today: date,
        days: int = 0,
    ) -> None:
        self.counts = {"products": products, "tests": tests, "bugs": bugs}
        self.last = datetime.combine(today, time(), UTC)
        self.now = self.last - timedelta(days)
        self._seed = f"{customer}/{seed}"
        if tests and not products:
            raise ValueError("tests need a product: use more products")
        own = customer if isinstance(customer, int) else 1 + crc32(customer.encode()) % 10_000
        self._offset = own * IDS_PER_CUSTOMER
        self.catalogues = [self._catalogue(product) for product in range(products)]
        dates = (self.last - timedelta(day) for day in range(_DAYS, 15, -1))
        self._calendar = [day for day in dates for _ in range(_SEASON[day.month])]
        self._cycles = [self._cycle(number) for number in range(tests)]
        cycles = self._cycles
        newest_first = sorted(range(tests), key=lambda n: _undated_last(cycles[n]), reverse=True)
        self._tests: list[list[int]] = [[] for _ in range(products)]
        for number in newest_first:
            self._tests[cycles[number].product].append(number)
        totals = list(accumulate(cycle.bugs for cycle in cycles))
        if bugs and not (totals and totals[-1]):
            raise ValueError("bugs need a test that has begun: use more tests")
        self._bug_ends = [round(total * bugs / totals[-1]) if bugs else 0 for total in totals]
        self.run_count = cache(self._run_count)
        self.is_weak = cache(self._is_weak)

    def next_day(self) -> None:
        """Move to the next day."""
        if self.now >= self.last:
            raise ValueError("the last day has been reached: create the account with more days")
        self.now += timedelta(days=1)
        self.run_count.cache_clear()

    def cycle(self, test: int) -> Cycle:
        """Return the outline of a test."""
        return self._cycles[test]

    def random(self, *name: object) -> Random:
        """Return the random generator of a name."""
        return Random(f"{self._seed}/{name}")  # noqa: S311 - nothing here is secret

    def id(self, kind: str, number: int) -> int:
        """Return a record's id; neighbours swap ids, so that no list is sorted by id."""
        return self._offset + _FIRST_IDS[kind] + (number ^ 1)

    def number(self, kind: str, id_: int) -> int | None:
        """Return the number of the record with this id, if it exists."""
        number = self._place(kind, id_)
        if kind == "features":
            product, place = self.place(number)
            exists = 0 <= product < len(self.catalogues) and place < len(self.catalogues[product])
        elif kind == "bugs":
            exists = 0 <= number < self.counts["bugs"] + self.counts["tests"]
            exists = exists and self._is_served(number)
        else:
            exists = 0 <= number < self.counts[kind]
            exists = exists and (kind != "tests" or self._is_listed(number))
        return number if exists else None

    def _place(self, kind: str, id_: int) -> int:
        return (id_ - self._offset - _FIRST_IDS[kind]) ^ 1

    def parent(self, kind: str, number: int) -> int:
        """Return the number of a feature's or test's product, or of a bug's test."""
        if kind == "bugs":
            later_deleted = number - self.counts["bugs"]
            return later_deleted if later_deleted >= 0 else bisect_right(self._bug_ends, number)
        return self.cycle(number).product if kind == "tests" else self.place(number)[0]

    def children(self, kind: str, parent: int) -> Iterable[int]:
        """Return the numbers of a product's features or tests (newest first), or a test's bugs."""
        if kind == "bugs":
            numbers = range(self._bug_ends[parent - 1] if parent else 0, self._bug_ends[parent])
            if self.now == self.last:
                return numbers
            start = self.cycle(parent).start
            if start is None or start > self.now:
                return ()
            if start < self.now - _UNTIL_BUGS_STAY:
                return numbers
            return filter(self._is_served, (*numbers, self.counts["bugs"] + parent))
        if kind == "features":
            first = _FEATURES_PER_PRODUCT * parent
            return range(first, first + len(self.catalogues[parent]))
        tests = self._tests[parent]
        return tests if self.now == self.last else filter(self._is_listed, tests)

    def status(self, test: int) -> str:
        """Return the status of a test on this day."""
        cycle = self.cycle(test)
        if self.now == self.last or cycle.start is None or cycle.end is None:
            return cycle.status
        if self.now < cycle.start:
            return cycle.status if cycle.start > self.last else "waiting"
        if self.now < cycle.end:
            return "running"
        return (
            "locked"
            if self.now < cycle.end + _LOCKED.get(cycle.status, timedelta())
            else cycle.status
        )

    def reported(self, bug: int) -> datetime:
        """Return when a bug is reported."""
        return self.moment(self.cycle(self.parent("bugs", bug)), self.random("reported", bug))

    def _is_listed(self, test: int) -> bool:
        """Return whether a test has been drafted."""
        return self.now >= (self.cycle(test).start or self.last) - _LISTED_BEFORE_START

    def _is_served(self, bug: int) -> bool:
        """Return whether a bug has been reported and not been deleted."""
        if bug < self.counts["bugs"]:
            return self.now == self.last or self.reported(bug) <= self.now
        cycle, rng = self.cycle(bug - self.counts["bugs"]), self.random("deleted", bug)
        if not cycle.bugs or not self.counts["bugs"] or rng.randrange(100) >= _DELETED_PERCENT:
            return False
        reported = self.reported(bug)
        deleted = reported + timedelta(days=rng.uniform(1, 5))
        return reported <= self.now < deleted <= self.last

    @staticmethod
    def place(feature: int) -> tuple[int, int]:
        """Return a feature's product, and its place in that product's catalogue."""
        return divmod(feature, _FEATURES_PER_PRODUCT)

    def feature_id(self, product: int, place: int) -> int:
        """Return the id of the feature at a place in a product's catalogue."""
        return self.id("features", _FEATURES_PER_PRODUCT * product + place)

    def topic(self, product: int, place: int) -> Topic:
        """Return the topic of the feature at a place in a product's catalogue."""
        return self.catalogues[product][place][0]

    def test_feature_id(self, test: int, place: int) -> int:
        """Return the id of the feature at a place in a test."""
        return self.id("test_features", _FEATURES_PER_TEST * test + place)

    def story_id(self, product: int, path: str) -> int:
        """Return the id of the user story with this text."""
        number = _STORY_NUMBERS.get(path, len(STORIES) + crc32(path.encode()) % 900)
        return self.id("user_stories", _STORIES_PER_PRODUCT * product + number)

    @staticmethod
    def version_id(test_feature_id: int, path: str) -> int:
        """Return the id of the version of a user story in one feature of one test."""
        return _STORIES_PER_TEST_FEATURE * test_feature_id + _STORY_NUMBERS.get(path, 99)

    def test_of_version(self, version_id: int) -> int | None:
        """Return the test that a version of a user story belongs to, if it exists."""
        place = self._place("test_features", version_id // _STORIES_PER_TEST_FEATURE)
        test = place // _FEATURES_PER_TEST
        return test if 0 <= test < self.counts["tests"] else None

    def tests_of_story(self, story_id: int) -> list[int]:
        """Return the tests that have a user story in one of their features."""
        product, number = divmod(self._place("user_stories", story_id), _STORIES_PER_PRODUCT)
        if not 0 <= product < len(self.catalogues):
            return []
        places = {
            place
            for place, (topic, _) in enumerate(self.catalogues[product])
            if any(_STORY_NUMBERS[path] == number for path in topic.paths)
        }
        return [n for n in self._tests[product] if not places.isdisjoint(self.cycle(n).picks)]

    @staticmethod
    def character(product: int) -> Character:
        """Return the rates of a product."""
        return CHARACTERS[product % len(CHARACTERS)]

    def runs(self, test: int) -> Iterator[Run]:
        """Yield the runs of a test; they follow from its number, without random values."""
        if test < 0 or (cycle := self.cycle(test)).start is None or cycle.start > self.now:
            return
        for place, pick in enumerate(cycle.picks):
            if traps.story_shape(test, place) in ("null", "missing"):
                continue
            feature_id = self.test_feature_id(test, place)
            for story, path in enumerate(self.topic(cycle.product, pick).paths):
                ids = self.story_id(cycle.product, path), self.version_id(feature_id, path)
                for tester in range((test + place + story) % 3):
                    yield Run(*ids, test, 100 * place + 10 * story + tester)

    def weakness(self, cycle: Cycle, place: int) -> int:
        """Return how many times as fragile as usual a feature is during a test.

        A feature stays weak for a quarter, so that it fails in several tests before it recovers.
        """
        at = cycle.start or self.last
        return 8 if self.is_weak(cycle.product, place, at.year, (at.month - 1) // 3) else 1

    def _is_weak(self, product: int, place: int, year: int, quarter: int) -> bool:
        return self.random("weak", product, place, year, quarter).random() < 0.2

    def _run_count(self, test: int) -> int:
        return sum(1 for _ in self.runs(test))

    def moment(self, cycle: Cycle, rng: Random) -> datetime:
        """Return a random time in a test, more often early than late, never in the future."""
        start, end = cycle.start or self.last, min(cycle.end or self.last, self.last)
        return start + (end - start) * float(rng.random() ** 1.3)

    def _catalogue(self, product: int) -> list[tuple[Topic, float]]:
        """Return the topics of a product's features, with their fragility in this product."""
        rng = self.random("catalogue", product)
        left_out = rng.sample(TOPICS, 4)
        return [
            (topic, topic.fragility * rng.uniform(0.6, 1.4))
            for topic in TOPICS
            if topic not in left_out
        ]

    def _cycle(self, number: int) -> Cycle:
        rng = self.random("test", number)
        tests, products = self.counts["tests"], self.counts["products"]
        # Every product gets tests; the first products get most of them.
        product = int(products * rng.random() ** 1.6) if number >= 2 * products else number
        product %= products
        block = max(1, tests // 200)
        slot, place = divmod(tests - 1 - number, block)
        start: datetime | None = None
        if slot < len(_NEWEST):
            status, day, bugs = _NEWEST[slot]
            if day is not None:
                start = self.last + timedelta(days=day, hours=9 - 24 * place / block)
        else:
            status, bugs = ("cancelled", 0.2) if number % 13 == 1 else ("archived", 1.0)
            day = len(self._calendar) * number // (tests - len(_NEWEST) * block)
            start = self._calendar[day] + timedelta(hours=9 + number % 9)
        type_ = TESTING_TYPES[number % len(TESTING_TYPES)]
        hours = 96 if status == "running" else _HOURS.get(type_ or "", 28)
        end = start + timedelta(hours=hours) if start else None
        picks = rng.sample(range(len(self.catalogues[product])), 3 + rng.randrange(4))
        bugs *= self.character(product).bugs * rng.uniform(0.4, 1.6)
        return Cycle(product, status, start, end, tuple(picks), bugs)


def _undated_last(cycle: Cycle) -> datetime:
    return cycle.start or datetime.max.replace(tzinfo=UTC)
