"""The steps of the crawler: each reads a page, batch or scope, and returns what to read next."""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

from testio_loader.api.base import Api, CallError, NotFoundError
from testio_loader.api.canonical_json import canonical
from testio_loader.api.endpoints import BUGS, EXECUTIONS, PRODUCTS, TEST_DETAILS, TESTS, Endpoint
from testio_loader.api.recording import Recorder
from testio_loader.api.values import nested_id, objects, parse_id
from testio_loader.errors import UnknownIdError
from testio_loader.read import account_check
from testio_loader.read.batches import Batches, BatchItem, BatchResult
from testio_loader.read.counts import Counts
from testio_loader.read.disappearances import Disappearances
from testio_loader.read.pages import PagedList
from testio_loader.read.records import Record, hash_with_results
from testio_loader.read.refresh_policy import EarlierLoads, RefreshPolicy, is_final
from testio_loader.read.scope import COMPLETE, MAX_RECORD_BYTES, WHEN_RECORDED, Scope
from testio_loader.tables import LEDGER, QUARANTINE, Table

_MAX_UNLISTED = 100
"""If a list is incomplete, at most this many of its missing tests are read one by one."""


@dataclass(frozen=True)
class TableRows:
    """Rows for one raw table."""

    table: str
    rows: list[dict[str, Any]]


@dataclass(frozen=True)
class Test:
    """The facts about a test that are needed to read its data."""

    id: int
    product_id: int | None
    is_test_case: bool
    is_final: bool
    versions: tuple[tuple[int, int | None], ...]
    """Ids of its user story versions, each with its user story id."""
    content_hash: str
    """Hash of its entry in a list."""
    has_details: bool = False
    """Whether its details have already been read."""


@dataclass
class StepResult:
    """What a step has read, and what to read next."""

    table_rows: list[TableRows] = field(default_factory=list)
    ledger: list[dict[str, Any]] = field(default_factory=list)
    closed: tuple[Scope, ...] = ()
    products: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    tests: list[Test] = field(default_factory=list)
    unlisted_test_ids: list[int] = field(default_factory=list)
    listings: list[PagedList] = field(default_factory=list)
    batch: tuple[Batches, BatchResult] | None = None

    def land(self, table: Table, rows: list[dict[str, Any]]) -> None:
        """Add rows for a raw table."""
        if rows:
            self.table_rows.append(TableRows(table.name, rows))


class Steps:
    """Reads scopes and returns their rows; safe to use from several threads."""

    def __init__(
        self,
        api: Api,
        customer_id: int,
        policy: RefreshPolicy,
        counts: Counts,
        recorder: Recorder | None = None,
        max_record_bytes: int = MAX_RECORD_BYTES,
        *,
        accept_deletions: bool = False,
        accept_account_change: bool = False,
    ) -> None:
        self._api = api
        self._customer_id = customer_id
        self._policy = policy
        self._recorder = recorder
        self._counts = counts
        self._max_record_bytes = max_record_bytes
        # A recording may be older than the warehouse: records missing from it may be newer.
        known = EarlierLoads() if api.is_replay else policy.known
        self.deletions = Disappearances(known, are_accepted=accept_deletions)
        self._accept_account_change = accept_account_change
        self._loaded_at = policy.now
        self._product_ids: frozenset[int] = frozenset()
        self._first_contents: dict[int | str, int] = {}
        """Per test: a hash of its content in the first list that had it."""
        self._lock = Lock()

    def products(self, wanted: Collection[int]) -> StepResult:
        """Read the list of products, and return which of them to read: the wanted ones or all.

        Raises:
            UnknownIdError: if the account has no product with a wanted id.
        """
        done, scope = StepResult(), self.scope(PRODUCTS)
        found = self._records(scope, [(None, PRODUCTS.path)])
        products = {int(record.id): record for record, _ in found.values()}
        self._identify(scope, products.values())
        self._product_ids = frozenset(products)
        done.land(PRODUCTS.table, [scope.row(r, self._loaded_at) for r in products.values()])
        for product_id in wanted or products:
            if product_id in products:
                done.products[product_id] = products[product_id].value
            elif scope.outcome == COMPLETE:
                raise UnknownIdError(f"product {product_id} is not in this account")
        self._finish(done, scope)
        return done

    def identify(self) -> StepResult:
        """Check whose account it is, without landing its products; skip this if the call fails."""
        scope = Scope(PRODUCTS, self._customer_id)
        with suppress(CallError):
            answer = self._api.get(PRODUCTS.path, PRODUCTS.answer_keys)
            self._identify(scope, scope.keyed(answer.value))
        return StepResult()

    def whole(
        self, scope: Scope, paths: list[tuple[int | None, str]], product_id: int | None
    ) -> StepResult:
        """Read a scope with one call, or with one per section."""
        done, found = StepResult(), self._records(scope, paths)
        # Without a failed section, section_ids would lack it: known records do not land again.
        left_out = set(self._listed(scope)) if scope.has_failed else set()
        rows = [
            scope.row(
                record,
                self._loaded_at,
                product_id=product_id,
                test_id=scope.test_id,
                section_ids=canonical(section_ids),
                position=position,
            )
            for position, (record, section_ids) in enumerate(found.values())
            if record.id not in left_out
        ]
        if scope.endpoint is not EXECUTIONS:  # for all executions, only their count was read
            done.land(scope.endpoint.table, rows)
        self._finish(done, scope)
        return done

    def page(self, listing: PagedList) -> StepResult:
        """Read the next page of a list of tests."""
        done, scope, rows = StepResult(), listing.scope, list[dict[str, Any]]()
        records, answers = listing.step()
        for path, body in answers:
            self._keep(path, body)
        for record in records:
            named = nested_id(record.value, "product")
            is_named, is_new = named in self._product_ids, self._is_new(record)
            differs = hash(record.content) != self._first_contents[record.id]
            product_id = named if is_named else scope.product_id
            if is_new:
                self._add_test_features(record)
                # Other tests are not kept in memory: an account may have millions.
                if self._policy.is_to_be_read(int(record.id), record.value):
                    done.tests.append(_test(record, product_id))
            if differs:
                scope.remark("some tests have different content in another product's list")
            # Lists come in no fixed order. So if two lists differ about a test, both contents land.
            # A test that names no product lands once per list.
            if is_new or differs or not is_named:
                rows.append(scope.row(record, self._loaded_at, product_id=product_id))
        done.land(TESTS.table, rows)
        if not listing.is_done:
            done.listings.append(listing)
            return done
        if scope.outcome != COMPLETE:
            done.unlisted_test_ids = self._unlisted(scope)
        self._finish(done, scope)
        return done

    def single(self, test_id: int) -> StepResult:
        """Read a single test; its answer contains its details, too."""
        done = StepResult()
        scope, details = (self.scope(e, test_id=test_id) for e in (TESTS, TEST_DETAILS))
        path = TEST_DETAILS.path.format(test_id=test_id)
        found = self._records(details, [(None, path)])
        for record, _ in found.values():
            product_id = nested_id(record.value, "product")
            row = details.row(record, self._loaded_at, product_id=product_id)
            done.land(TEST_DETAILS.table, [row])
            for test in filter(self._is_new, scope.keyed([record.value], default_id=test_id)):
                row = scope.row(test, self._loaded_at, product_id=product_id)
                done.land(TESTS.table, [row])
                self._add_test_features(test)
                done.tests.append(replace(_test(test, product_id), has_details=True))
        if details.outcome != COMPLETE:
            scope.fail(details.outcome)
        elif details.remarks:
            self._refuse_unknown(test_id)
            scope.remark(details.remarks)
        self._finish(done, scope, details)
        return done

    def batch(self, batches: Batches, batch: list[BatchItem]) -> StepResult:
        """Read a batch of tests from one endpoint."""
        done, outcome = StepResult(), batches.read(batch)
        endpoint = batches.endpoint
        done.batch = batches, outcome
        for path, body in outcome.answers:
            self._keep(path, body)
        if endpoint is BUGS:
            self._counts.add_bugs(
                nested_id(record.value, "test_feature") for _, record, _ in outcome.found
            )
        done.land(
            endpoint.table,
            [
                scope.row(
                    record,
                    self._loaded_at,
                    # A record that names no test belongs to the requested one.
                    test_id=nested_id(record.value, endpoint.test_field) or scope.test_id,
                    **columns,
                )
                for scope, record, columns in outcome.found
            ],
        )
        self._finish(done, *outcome.closed)
        return done

    def close(self, scope: Scope) -> StepResult:
        """Close a scope that has nothing to read."""
        done = StepResult()
        self._finish(done, scope)
        return done

    # Shared by the steps

    def scope(
        self, endpoint: Endpoint, *, product_id: int | None = None, test_id: int | None = None
    ) -> Scope:
        """Open a scope, and count it."""
        self._counts.open(endpoint.name)
        return Scope(
            endpoint,
            self._customer_id,
            product_id=product_id,
            test_id=test_id,
            max_record_bytes=self._max_record_bytes,
        )

    def _records(
        self, scope: Scope, paths: list[tuple[int | None, str]]
    ) -> dict[int | str, tuple[Record, list[int]]]:
        """Return the records of all calls by id, each once, with the sections that contain it."""
        endpoint = scope.endpoint
        found: dict[int | str, tuple[Record, list[int]]] = {}
        for section_id, path in paths:
            try:
                answer = self._api.get(path, endpoint.answer_keys, is_object=endpoint.is_object)
            except CallError as failure:
                scope.add_cost(failure.cost)
                # A 404 does not prove that the product's known records are gone.
                can_be_missing = endpoint.can_be_missing and not self._listed(scope)
                if isinstance(failure, NotFoundError) and can_be_missing:
                    scope.remark(str(failure))
                    self._keep(path, None)
                    continue
                reason = failure.explained if endpoint.parent == "account" else failure
                scope.fail(reason, f"section {section_id}" if section_id else "")
                continue
            value = scope.take(answer)
            scope.claimed_count = answer.claimed_count
            body = {endpoint.answer_keys[0]: value}
            if answer.claimed_count is not None:
                body["meta"] = {"record_count": answer.claimed_count}
            self._keep(path, body)
            if endpoint is EXECUTIONS:
                continue
            # Details must have the requested id. For test case tests, no id is documented.
            if endpoint is TEST_DETAILS and parse_id(value.get("id")) not in (None, scope.test_id):
                scope.fail("the API returned another test")
                continue
            if not endpoint.is_object and len(value) < (answer.claimed_count or 0):
                scope.fail(f"{len(value)} of {answer.claimed_count} records came")
            for record in scope.keyed(
                [value] if endpoint.is_object else value,
                repeats=section_id is not None,
                default_id=scope.test_id if endpoint.is_object else None,
            ):
                _, section_ids = found.setdefault(record.id, (record, []))
                if section_id is not None and section_id not in section_ids:
                    section_ids.append(section_id)
        return found

    def _add_test_features(self, test: Record) -> None:
        self._counts.add_test_features(
            parse_id(feature.get("id")) for feature in objects(test.value, "features")
        )

    def _is_new(self, test: Record) -> bool:
        """Return whether a test is seen for the first time; products can share tests."""
        with self._lock:
            is_new = test.id not in self._first_contents
            self._first_contents.setdefault(test.id, hash(test.content))
        return is_new

    def _refuse_unknown(self, test_id: int) -> None:
        """Raise UnknownIdError if the warehouse lacks the test, too.

        A recorded 404 is accepted: the load that recorded it has already checked.
        """
        known = self._policy.known
        is_known = test_id in known.read_at or test_id in known.tests()
        if not is_known and not self._api.is_replay:
            raise UnknownIdError(f"test {test_id} is neither in this account nor in the warehouse")

    def _unlisted(self, scope: Scope) -> list[int]:
        """Return up to 100 tests that this incomplete list lacks and the last complete one had."""
        return [id_ for id_ in self._listed(scope) if not scope.has(id_)][:_MAX_UNLISTED]

    def _listed(self, scope: Scope) -> list[int]:
        """Return the ids of the last complete read of a product's scope."""
        return self._policy.known.ids(scope.endpoint.name, scope.product_id)

    def _identify(self, scope: Scope, products: Iterable[Record]) -> None:
        if not self._accept_account_change:
            account_check.check(self._customer_id, scope, products, self._policy.known)

    def _keep(self, path: str, body: Any) -> None:
        if self._recorder:
            self._recorder.keep(path, body)

    def _finish(self, done: StepResult, *scopes: Scope) -> None:
        """Close scopes, and add their ledger and quarantine rows to the result."""
        for scope in scopes:
            self._counts.close(scope.endpoint.name)
            lacking = self._api.lacks(scope.endpoint.name, scope.product_id, scope.test_id)
            if lacking and lacking != scope.outcome:
                scope.fail(lacking, WHEN_RECORDED)
        done.closed = scopes
        done.ledger = [scope.ledger_row(self._api.now()) for scope in scopes]
        rows = zip(scopes, done.ledger, strict=True)
        done.land(LEDGER, [row for scope, row in rows if not self.deletions.hold(scope, row)])
        done.land(
            QUARANTINE, [row for scope in scopes for row in scope.quarantine_rows(self._loaded_at)]
        )


def _test(record: Record, product_id: int | None) -> Test:
    versions = {
        version_id: parse_id(story.get("id"))
        for feature in objects(record.value, "features")
        for story in objects(feature, "user_stories")
        if (version_id := parse_id(story.get("user_story_version_id"))) is not None
    }
    is_test_case = record.value.get("testing_type") is None
    return Test(
        int(record.id),
        product_id,
        is_test_case,
        is_final(record.value),
        tuple(versions.items()),
        hash_with_results(record),
    )
