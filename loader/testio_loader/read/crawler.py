"""Crawls an account: decides which scopes to read and in which order, several at a time.

The lists of products and tests come first, since they show what else to read. The data of tests
follow: bugs and executions in batches, other endpoints with one call per test. Details come last:
the ledger keeps a hash of the data read before them, and the next load lets the details wait if
that hash is the same and it is not the test's turn.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from testio_loader.api.base import NOT_FOUND, Api
from testio_loader.api.canonical_json import canonical
from testio_loader.api.endpoints import (
    ENDPOINTS,
    EXECUTIONS,
    PRODUCTS,
    TEST_DETAILS,
    TESTS,
    Endpoint,
)
from testio_loader.api.recording import Recorder
from testio_loader.api.values import parse_id
from testio_loader.read.batches import Batches, BatchItem
from testio_loader.read.counts import Counts
from testio_loader.read.pages import PagedList
from testio_loader.read.records import content_hash
from testio_loader.read.refresh_policy import RefreshPolicy
from testio_loader.read.schedule import Schedule
from testio_loader.read.scope import COMPLETE, MAX_RECORD_BYTES, Scope, describe
from testio_loader.read.steps import StepResult, Steps, TableRows, Test
from testio_loader.tables import LEDGER

MAX_IN_FLIGHT = 10
"""Concurrent calls. The API's limit is not published; ten is a cautious choice."""
_MAX_WAITING = 400
"""Steps and tests that may wait in memory; at this number, no further page of tests is read."""
_LISTS, _BATCHES, _REST = range(3)
"""The urgency of steps. Lists come first, since the others depend on them."""
_EXECUTION_COUNT_PATH = "/user_story_version_executions?page=1&per_page=1"


class NothingReadError(Exception):
    """No scope could be read completely; the message lists the causes."""


@dataclass
class Plan:
    """What a load would read from one endpoint."""

    scopes: int = 0
    calls: int = 0
    problems: list[str] = field(default_factory=list)
    """What could not be read, or is missing; the plan lacks everything that depends on it."""
    remarks: list[str] = field(default_factory=list)
    """Disappearances that the load would accept."""


@dataclass
class _PendingDetails:
    """The details of a test that wait until its other data have been read."""

    content_hash: str
    """Hash of the test's entry in a list."""
    details: list[tuple[Scope, Callable[[], StepResult]]] = field(default_factory=list)
    """Scopes of the details, each with the step that reads it."""
    unread: set[str] = field(default_factory=set)
    """Endpoints that must be read before the details."""
    versions: list[tuple[str, str | None]] = field(default_factory=list)
    """Endpoints that have been read, each with its `Scope.versions`; None if not known."""


class Crawler:
    """Reads one customer's account: the whole account, some products, or some tests."""

    def __init__(
        self,
        api: Api,
        customer_id: int,
        policy: RefreshPolicy,
        *,
        product_ids: Iterable[int] = (),
        test_ids: Iterable[int] = (),
        unlisted_test_ids: Iterable[int] = (),
        endpoints: Collection[Endpoint] = ENDPOINTS,
        max_in_flight: int = MAX_IN_FLIGHT,
        recorder: Recorder | None = None,
        counts: Counts | None = None,
        max_record_bytes: int = MAX_RECORD_BYTES,
        accept_deletions: bool = False,
        accept_account_change: bool = False,
    ) -> None:
        self._api = api
        self._recorder = recorder
        self._counts = counts or Counts()
        self._steps = Steps(
            api,
            customer_id,
            policy,
            self._counts,
            recorder,
            max_record_bytes,
            accept_deletions=accept_deletions,
            accept_account_change=accept_account_change,
        )
        self._policy = policy
        self._endpoints = needed(endpoints)
        self._product_ids = frozenset(product_ids)
        self._test_ids = frozenset(test_ids)
        self._unlisted_test_ids = set(unlisted_test_ids)
        """Tests that an incomplete list lacks. They are read one by one, besides the lists."""
        self._schedule: Schedule[StepResult] = Schedule(max_in_flight)
        self._batches = {
            endpoint.name: Batches(api, endpoint)
            for endpoint in self._endpoints
            if endpoint.reading == "batches"
        }
        self._listings: deque[PagedList] = deque()
        """Lists of tests that are not finished and not being read now."""
        self._plans: defaultdict[str, Plan] | None = None
        self._batched_ids: Counter[str] = Counter()
        """In a plan, ids to name in batches, per endpoint."""
        self._longest: Counter[str] = Counter()
        """Per endpoint read in batches: the most calls that a single test needs."""
        self._pending: dict[int, _PendingDetails] = {}
        """Per test: its details that wait for its other data."""
        # A recording does not show in which order its answers were given.
        self._is_rest_read = not api.is_replay and all(
            endpoint in self._endpoints
            for endpoint in ENDPOINTS
            if endpoint.parent == "test" and not endpoint.is_read_last
        )

    def read(self) -> Iterator[TableRows]:
        """Yield the rows for the raw tables as soon as they are read.

        Raises:
            NothingReadError: if no scope could be read completely.
        """
        outcomes: set[str] = set()
        incomplete: list[dict[str, Any]] = []
        self._begin()
        for done in self._schedule:
            yield from done.table_rows
            outcomes.update(map(_outcome, done.ledger))
            incomplete += [row for row in done.ledger if self._recorder and not row["is_complete"]]
            self._follow(done)
        if unfinished := self._counts.unfinished():
            # No answer can cause this. Without the check, a defect of the crawler would be silent.
            raise RuntimeError(f"scopes found but not read: {unfinished}; report this defect")
        if COMPLETE not in outcomes:
            raise NothingReadError(_joined(outcomes))
        for row in self._steps.deletions.release():
            yield TableRows(LEDGER.name, [row])
            incomplete += [row] if self._recorder and not row["is_complete"] else []
        if self._recorder:
            self._recorder.finish(incomplete, self._unlisted_test_ids)

    def plan(self) -> dict[str, Plan]:
        """Read only the lists and the selected tests; return what a load would read, per endpoint.

        Raises:
            NothingReadError: if no scope could be read completely.
        """
        outcomes: set[str] = set()
        self._plans = plans = defaultdict[str, Plan](Plan)
        self._begin()
        for done in self._schedule:
            for row in done.ledger:
                outcomes.add(_outcome(row))
                plans[row["endpoint"]].scopes += 1
                plans[row["endpoint"]].calls += row["requests"]
                if not row["is_complete"]:
                    product_id, test_id = row["product_id"], row["test_id"]
                    problem = describe(row["endpoint"], row["outcome"], 1, product_id, test_id)
                    plans[row["endpoint"]].problems.append(problem)
            self._follow(done)
        for name, batches in self._batches.items():
            plans[name].calls += max(batches.calls(self._batched_ids[name]), self._longest[name])
        if COMPLETE not in outcomes:
            raise NothingReadError(_joined(outcomes))
        deletions = self._steps.deletions
        for name, finding in deletions.findings().items():
            found = plans[name].remarks if deletions.are_accepted else plans[name].problems
            found.append(f"{name}: {finding}")
        return dict(plans)

    # Which steps run, and when

    def _begin(self) -> None:
        if self._test_ids and self._policy.known.accounts:
            self._schedule.add(_LISTS, self._steps.identify)
        for test_id in sorted(self._test_ids | self._unlisted_test_ids):
            self._schedule.add(_LISTS, partial(self._steps.single, test_id))
        if not self._test_ids:
            self._schedule.add(_LISTS, partial(self._steps.products, self._product_ids))
        for endpoint in self._endpoints:
            if endpoint.parent == "account" and endpoint is not PRODUCTS:
                self._add(endpoint, [(None, endpoint.path)])
        if EXECUTIONS in self._endpoints and not self._test_ids and not self._product_ids:
            self._add(EXECUTIONS, [(None, _EXECUTION_COUNT_PATH)])

    def _follow(self, done: StepResult) -> None:
        """Schedule the steps that follow from a result."""
        for scope in done.closed:
            self._note_read(scope)
        for product_id, product in done.products.items():
            for endpoint in self._endpoints:
                if endpoint.reading == "pages":
                    path = endpoint.path.format(product_id=product_id)
                    scope = self._steps.scope(endpoint, product_id=product_id)
                    self._listings.append(PagedList(self._api, scope, path))
                elif endpoint.parent == "product":
                    paths, problems = _paths(endpoint, product_id, product)
                    self._add(endpoint, paths, product_id=product_id, problems=problems)
        self._listings.extendleft(done.listings)
        for test_id in done.unlisted_test_ids:
            self._unlisted_test_ids.add(test_id)
            self._schedule.add(_LISTS, partial(self._steps.single, test_id))
        for test in done.tests:
            self._read_test(test)
        if done.batch:
            batches, outcome = done.batch
            batches.done(outcome)
            for part in outcome.parts:
                self._schedule.add(_BATCHES, partial(self._steps.batch, batches, part))
        while self._listings and self._waiting() < _MAX_WAITING:
            self._schedule.add(_LISTS, partial(self._steps.page, self._listings.popleft()))
        unfinished = self._schedule.unfinished
        # The next list starts only after a step has ended. If no step runs, batches must not wait
        # for a list, or nothing would ever start.
        is_more_to_come = unfinished(_LISTS) > 0 or (
            bool(self._listings) and unfinished(_BATCHES) + unfinished(_REST) > 0
        )
        for batches in self._batches.values():
            while batch := batches.take(is_more_to_come=is_more_to_come):
                self._schedule.add(_BATCHES, partial(self._steps.batch, batches, batch))

    def _waiting(self) -> int:
        """Return how many of the known steps and tests are not read yet."""
        tests = max((batches.waiting for batches in self._batches.values()), default=0)
        tests = max(tests, len(self._pending))
        return tests + self._schedule.unfinished(_LISTS) + self._schedule.unfinished(_REST)

    def _read_test(self, test: Test) -> None:
        pending = _PendingDetails(test.content_hash)
        for endpoint in self._endpoints:
            if endpoint.parent != "test" or (endpoint.for_test_cases and not test.is_test_case):
                continue
            if endpoint is TEST_DETAILS and test.has_details:
                continue
            if endpoint.reading == "batches":
                if self._add_to_batch(endpoint, test):
                    pending.unread.add(endpoint.name)
                continue
            path = endpoint.path.format(product_id=test.product_id, test_id=test.id)
            if self._plans is not None or not _can_wait(endpoint, test):
                if self._add(endpoint, [(None, path)], product_id=test.product_id, test_id=test.id):
                    pending.unread.add(endpoint.name)
            elif self._is_to_be_read(endpoint, [path], None, test.id):
                scope = self._steps.scope(endpoint, test_id=test.id)
                step = partial(self._steps.whole, scope, [(None, path)], test.product_id)
                pending.details.append((scope, step))
        if pending.details and pending.unread:
            self._pending[test.id] = pending
        else:
            self._read_details(pending)

    def _note_read(self, scope: Scope) -> None:
        """Note that a scope was read; the details of its test may be waiting for it."""
        test_id, name = scope.test_id, scope.endpoint.name
        pending = self._pending.get(test_id) if test_id is not None else None
        if pending is None or test_id is None or name not in pending.unread:
            return
        pending.unread.remove(name)
        pending.versions.append((name, scope.versions))
        if not pending.unread:
            del self._pending[test_id]
            self._read_details(pending)

    def _read_details(self, pending: _PendingDetails) -> None:
        """Schedule the details of a test after its other data, unless they can wait."""
        versions = sorted(pending.versions)
        is_known = self._is_rest_read and all(version for _, version in versions)
        test_hash = content_hash(pending.content_hash, versions) if is_known else None
        for scope, step in pending.details:
            if self._is_to_wait(scope, test_hash):
                self._counts.put_off(scope.endpoint.name)
            else:
                scope.test_hash = test_hash
                self._schedule.add(_REST, step)

    def _is_to_wait(self, scope: Scope, test_hash: str | None) -> bool:
        """Return whether details can wait; not for a recording or for selected tests."""
        name, test_id = scope.endpoint.name, scope.test_id
        if self._recorder or self._test_ids or test_hash is None or test_id is None:
            return False
        return self._policy.can_wait(name, test_id, test_hash)

    def _add_to_batch(self, endpoint: Endpoint, test: Test) -> bool:
        """Queue a test for a batch; return whether there is anything to read."""
        batches = self._batches[endpoint.name]
        ids = test.versions if endpoint is EXECUTIONS else ((test.id, None),)
        if self._plans is not None:
            self._plans[endpoint.name].scopes += 1
            self._batched_ids[endpoint.name] += len(ids)
            self._longest[endpoint.name] = max(self._longest[endpoint.name], len(ids))
            return False
        details = TEST_DETAILS.path.format(test_id=test.id)
        paths = [batches.first_path(id_) for id_, _ in ids] or [details]
        if not self._is_to_be_read(endpoint, paths, None, test.id):
            return False
        scope = self._steps.scope(endpoint, test_id=test.id)
        if ids:
            batches.add(BatchItem(scope, ids))
        else:
            self._schedule.add(_REST, partial(self._steps.close, scope))
        return True

    def _is_to_be_read(
        self, endpoint: Endpoint, paths: Iterable[str], product_id: int | None, test_id: int | None
    ) -> bool:
        """Return whether to read a scope; False only in a replay of a load that did not read it."""
        is_missed = self._api.lacks(endpoint.name, product_id, test_id) is not None
        return is_missed or any(map(self._api.has, paths))

    def _add(
        self,
        endpoint: Endpoint,
        paths: list[tuple[int | None, str]],
        *,
        product_id: int | None = None,
        test_id: int | None = None,
        problems: Iterable[str] = (),
    ) -> bool:
        """Schedule a scope with one call, or one per section; problems make it incomplete.

        Returns:
            Whether there is anything to read.
        """
        of_product = None if test_id else product_id
        if self._plans is not None:
            self._plans[endpoint.name].scopes += 1
            self._plans[endpoint.name].calls += len(paths)
            for problem in problems:
                self._plans[endpoint.name].problems.append(
                    describe(endpoint.name, problem, 1, of_product, test_id)
                )
            return False
        if not self._is_to_be_read(endpoint, [path for _, path in paths], of_product, test_id):
            return False
        scope = self._steps.scope(endpoint, product_id=of_product, test_id=test_id)
        for problem in problems:
            scope.fail(problem)
        self._schedule.add(_REST, partial(self._steps.whole, scope, paths, product_id))
        return True


def _can_wait(endpoint: Endpoint, test: Test) -> bool:
    """Return whether an endpoint is read after a test's other data, and may wait."""
    return endpoint.is_read_last or (endpoint.is_final_with_test and test.is_final)


def needed(endpoints: Collection[Endpoint]) -> list[Endpoint]:
    """Return these endpoints and the lists that they depend on."""
    lists = [PRODUCTS]
    if any(endpoint.parent == "test" for endpoint in endpoints):
        lists.append(TESTS)
    return [endpoint for endpoint in ENDPOINTS if endpoint in (*endpoints, *lists)]


def _paths(
    endpoint: Endpoint, product_id: int, product: Mapping[str, Any]
) -> tuple[list[tuple[int | None, str]], list[str]]:
    """Return the paths for a product, each with its section id or None, and all problems.

    A product has sections if `sections` is not empty or `sections_with_default` has more than one
    entry. Sections whose id cannot be read count, too.
    """
    problems: dict[str, None] = {}
    section_ids: dict[int, None] = {}
    if endpoint.section_path:
        plain, with_default = (
            _listed(product, name, problems) for name in ("sections", "sections_with_default")
        )
        if plain or len(with_default) > 1:
            for section in plain + with_default:
                section_id, problem = _section_id(section)
                if section_id is None:
                    problems[problem] = None
                else:
                    section_ids[section_id] = None
    if not section_ids:
        return [(None, endpoint.path.format(product_id=product_id))], list(problems)
    return [
        (id_, endpoint.section_path.format(product_id=product_id, section_id=id_))
        for id_ in section_ids
    ], list(problems)


def _listed(product: Mapping[str, Any], name: str, problems: dict[str, None]) -> list[Any]:
    """Return the list at `name`; an empty value of any type counts as an empty list."""
    found = product.get(name) or []
    if not isinstance(found, list):
        problems[f"{name} is not a list"] = None
        return []
    return found


def _section_id(section: Any) -> tuple[int | None, str]:
    """Return a section's id, or None and the reason."""
    if not isinstance(section, dict):
        return None, f"section {_shown(section)} is not an object"
    given = section.get("id")
    if given is None:
        return None, "section without an id"
    return parse_id(given), f"section id {_shown(given)} cannot be read"


def _shown(value: Any) -> str:
    return canonical(value)[:40]


def _joined(outcomes: set[str]) -> str:
    """Join outcomes; leave out those that are the beginning of a longer one."""
    return "; ".join(
        sorted(
            outcome
            for outcome in outcomes
            if not any(other != outcome and other.startswith(outcome) for other in outcomes)
        )
    )


def _outcome(row: Mapping[str, Any]) -> str:
    """Return a scope's outcome; an accepted 404 does not count as a usable answer."""
    return NOT_FOUND if NOT_FOUND in (row["remarks"] or "") else str(row["outcome"])
