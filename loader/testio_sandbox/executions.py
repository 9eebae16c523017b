"""User story executions: each is a user story that a tester ran in a test."""

from functools import partial
from itertools import islice

from testio_sandbox.plan import Plan, Run
from testio_sandbox.query import choice, repeated_ids, window
from testio_sandbox.record import Record
from testio_sandbox.records import Records
from testio_sandbox.server import Query
from testio_sandbox.store import Store


class Executions:
    """Answers with pages of executions: looks only at tests that match, creates only one page."""

    def __init__(self, plan: Plan, store: Store, records: Records) -> None:
        self._plan = plan
        self._store = store
        self._records = records

    def answer(self, query: Query) -> Record:
        """Return a page; executions of older tests come first, or last if `order` is `desc`."""
        is_reversed = choice(query, "order", ("asc", "desc")) == "desc"
        story_ids = repeated_ids(query, "user_story_ids[]")
        version_ids = repeated_ids(query, "user_story_version_ids[]")
        tests = sorted(self._tests(story_ids, version_ids), reverse=is_reversed)
        start, stop = window(query)
        if story_ids is None and version_ids is None:
            count = sum(map(self._plan.run_count, tests))
            runs = self._between(tests, start, stop)
        else:
            found = [
                run
                for test in tests
                for run in self._plan.runs(test)
                if (story_ids is None or run.story_id in story_ids)
                and (version_ids is None or run.version_id in version_ids)
            ]
            count, runs = len(found), found[start:stop]
        return {
            "meta": {"record_count": count},
            "user_story_version_executions": [
                self._store.prepared.fragment(run, partial(self._execution, run)) for run in runs
            ],
        }

    def of_test(self, test: int) -> list[tuple[Run, Record]]:
        """Return the runs of a test, each with its execution."""
        prepared, make = self._store.prepared, self._execution
        return [(run, prepared.record(run, partial(make, run))) for run in self._plan.runs(test)]

    def _execution(self, run: Run) -> Record:
        return self._records.execution(run, self._store.get("tests", run.test))

    def _tests(self, story_ids: set[int] | None, version_ids: set[int] | None) -> set[int]:
        """Return the tests that can have the requested executions."""
        if version_ids is not None:
            named = {self._plan.test_of_version(id_) for id_ in version_ids} - {None}
        elif story_ids is not None:
            named = {test for id_ in story_ids for test in self._plan.tests_of_story(id_)}
        else:
            products = self._store.numbers("products")
            return {n for product in products for n in self._store.numbers("tests", product)}
        return {n for n in named if n is not None and self._store.is_there("tests", n)}

    def _between(self, tests: list[int], start: int, stop: int) -> list[Run]:
        """Return a range of all runs, without creating those of earlier tests."""
        runs: list[Run] = []
        for test in tests:
            count = self._plan.run_count(test)
            if start < count and stop > 0:
                runs += islice(self._plan.runs(test), max(start, 0), stop)
            start, stop = start - count, stop - count
        return runs
