"""Exploratory tests: lists, and single tests with results."""

from functools import partial

import orjson

from testio_sandbox.executions import Executions
from testio_sandbox.plan import Plan
from testio_sandbox.record import Record, parts, usable_id
from testio_sandbox.records import Records
from testio_sandbox.results import with_results
from testio_sandbox.store import Store


class ExploratoryTests:
    """Answers with tests; with `expand`, user stories are objects instead of texts."""

    def __init__(self, plan: Plan, store: Store, records: Records, executions: Executions) -> None:
        self._plan = plan
        self._store = store
        self._records = records
        self._executions = executions

    def listed(self, numbers: list[int], *, expand: bool) -> list[orjson.Fragment]:
        """Return tests as in a list, without results."""
        if not expand:
            return [self._store.fragment("tests", number) for number in numbers]
        make = self._expanded
        return [
            self._store.prepared.fragment(("expanded", number), partial(make, number))
            for number in numbers
        ]

    def details(self, number: int, *, expand: bool) -> orjson.Fragment:
        """Return a test with its results."""
        make = partial(self._details, number, expand=expand)
        return self._store.prepared.fragment(("details", number, expand), make)

    def _expanded(self, number: int) -> Record:
        """Return a test with its user stories as objects."""
        test, product = self._store.get("tests", number), self._store.parent("tests", number)
        features = [
            # If a test feature lacks its id, its place gives the id.
            self._records.expanded(
                feature, product, usable_id(feature) or self._plan.test_feature_id(number, place)
            )
            for place, feature in enumerate(parts(test, "features"))
        ]
        return {**test, "features": features}

    def _details(self, number: int, *, expand: bool) -> Record:
        test, expanded = self._store.get("tests", number), self._expanded(number)
        numbers = self._store.numbers("bugs", number)
        # A loader that reads the details also reads the bugs: create them once and cache them.
        bugs = [self._store.kept("bugs", bug) for bug in numbers]
        bugs = [bug for bug in bugs if usable_id(bug) is not None]
        answer = with_results(expanded, bugs, self._executions.of_test(number))
        if not expand:
            for feature, given in zip(answer["features"], parts(test, "features"), strict=True):
                if "user_stories" in given:
                    feature["user_stories"] = given["user_stories"]
        return answer
