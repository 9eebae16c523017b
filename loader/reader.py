"""Which scopes of an account are read, in which order, several at once.

Products come first; then, a product, its features and its tests, page by page; then the bugs of
many tests in one call. Reading goes depth first, so that what waits to be read stays small however
large the account is.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pyarrow as pa

from loader.canonical import canonical
from loader.client import MAX_IN_FLIGHT, CallFailed, Client, Effort, NotFound, TooSlow
from loader.records import Record, nested_id, parse_id
from loader.scope import COMPLETE, Scope
from loader.tables import (
    BUGS,
    FEATURES,
    LEDGER,
    PRODUCTS,
    QUARANTINE,
    REJECT_REASONS,
    TESTS,
    Endpoint,
)

_TESTS_PER_PAGE = 100
_TESTS_PER_BUGS_CALL = 50
_NOTHING_SPENT = Effort()


class NothingRead(Exception):
    """The API gave no usable answer at all; the message says what came instead."""


@dataclass(frozen=True)
class Landing:
    """Rows for one raw table."""

    table: str
    rows: pa.Table


@dataclass
class _Done:
    """What a step has brought, and what it has opened up."""

    landings: list[Landing] = field(default_factory=list)
    steps: list["_Step"] = field(default_factory=list)
    test_ids: list[int] = field(default_factory=list)
    """Tests whose bugs are to be read."""
    outcomes: list[str] = field(default_factory=list)

    def land(self, scope: Scope, rows: list[dict[str, Any]]) -> None:
        if rows:
            self.landings.append(Landing(scope.endpoint.name, scope.endpoint.table.to_arrow(rows)))

    def close(self, *scopes: Scope) -> None:
        ledger = [scope.ledger_row() for scope in scopes]
        self.outcomes += [row["outcome"] for row in ledger]
        self.landings.append(Landing(LEDGER.name, LEDGER.to_arrow(ledger)))
        if quarantine := [row for scope in scopes for row in scope.quarantine]:
            self.landings.append(Landing(QUARANTINE.name, QUARANTINE.to_arrow(quarantine)))


_Step = Callable[[], _Done]


class Reader:
    """Reads one customer's account: all of it, some products, or some tests with their bugs."""

    def __init__(
        self,
        client: Client,
        customer_id: int,
        *,
        product_ids: Iterable[int] = (),
        test_ids: Iterable[int] = (),
        max_in_flight: int = MAX_IN_FLIGHT,
    ) -> None:
        self._client = client
        self._customer_id = customer_id
        self._product_ids = frozenset(product_ids)
        self._test_ids = frozenset(test_ids)
        self._max_in_flight = max_in_flight
        self._loaded_at = datetime.now(UTC)

    def read(self) -> Iterator[Landing]:
        """Yield what is read, as it comes.

        Raises:
            AccessDenied: as soon as the API refuses the token.
            NothingRead: if no scope at all could be read.
        """
        steps: list[_Step] = [self._products, self._reject_reasons]
        if self._test_ids:
            steps = [self._reject_reasons, *(partial(self._test, id_) for id_ in self._test_ids)]
        awaiting_bugs: list[int] = []
        running: set[Future[_Done]] = set()
        outcomes: set[str] = set()
        with ThreadPoolExecutor(self._max_in_flight) as pool:
            try:
                while steps or running:
                    while steps and len(running) < self._max_in_flight:
                        running.add(pool.submit(steps.pop()))
                    finished, running = wait(running, return_when=FIRST_COMPLETED)
                    for done in [future.result() for future in finished]:
                        yield from done.landings
                        steps += done.steps
                        awaiting_bugs += done.test_ids
                        outcomes.update(done.outcomes)
                    is_last_chance = not steps and not running
                    while len(awaiting_bugs) >= (1 if is_last_chance else _TESTS_PER_BUGS_CALL):
                        batch = awaiting_bugs[:_TESTS_PER_BUGS_CALL]
                        del awaiting_bugs[:_TESTS_PER_BUGS_CALL]
                        steps.append(partial(self._bugs, batch))
            finally:
                pool.shutdown(cancel_futures=True)
        if COMPLETE not in outcomes:
            raise NothingRead("; ".join(sorted(outcomes)))

    def _scope(
        self, endpoint: Endpoint, *, product_id: int | None = None, test_id: int | None = None
    ) -> Scope:
        return Scope(
            endpoint, self._customer_id, self._loaded_at, product_id=product_id, test_id=test_id
        )

    def _reject_reasons(self) -> _Done:
        done, scope = _Done(), self._scope(REJECT_REASONS)
        try:
            answer = self._client.get(REJECT_REASONS.path, REJECT_REASONS.answer_key)
        except CallFailed as failure:
            scope.fail(failure)
        else:
            records = scope.keyed(scope.take(answer))
            done.land(scope, [scope.row(r, position=i) for i, r in enumerate(records)])
        done.close(scope)
        return done

    def _products(self) -> _Done:
        done, scope = _Done(), self._scope(PRODUCTS)
        try:
            answer = self._client.get(PRODUCTS.path, PRODUCTS.answer_key)
        except CallFailed as failure:
            scope.fail(failure)
        else:
            products = {int(r.id): r for r in scope.keyed(scope.take(answer))}
            done.land(scope, [scope.row(product) for product in products.values()])
            for id_ in self._product_ids or products:
                if id_ not in products:
                    scope.fail(NotFound("not in this account"), f"product {id_}")
                    continue
                done.steps += [
                    partial(self._features, id_, products[id_].value),
                    partial(self._tests_page, self._scope(TESTS, product_id=id_), id_, 1),
                ]
        done.close(scope)
        return done

    def _features(self, product_id: int, product: dict[str, Any]) -> _Done:
        """A feature met in several sections is one feature with its sections."""
        done, scope = _Done(), self._scope(FEATURES, product_id=product_id)
        features: dict[int | str, Record] = {}
        section_ids: dict[int | str, list[int]] = {}
        for section_id in _sections(product) or (None,):
            template = FEATURES.path if section_id is None else FEATURES.section_path
            path = template.format(product_id=product_id, section_id=section_id)
            try:
                answer = self._client.get(path, FEATURES.answer_key)
            except CallFailed as failure:
                scope.fail(failure, f"section {section_id}" if section_id else "")
                continue
            for record in scope.keyed(scope.take(answer), repeats=True):
                features.setdefault(record.id, record)
                found_in = section_ids.setdefault(record.id, [])
                if section_id is not None:
                    found_in.append(section_id)
        done.land(
            scope,
            [
                scope.row(record, product_id=product_id, section_ids=canonical(section_ids[id_]))
                for id_, record in features.items()
            ],
        )
        done.close(scope)
        return done

    def _tests_page(self, scope: Scope, product_id: int, page: int) -> _Done:
        done = _Done()
        path = TESTS.path.format(product_id=product_id)
        try:
            answer = self._client.get(
                path, TESTS.answer_key, {"page": page, "per_page": _TESTS_PER_PAGE}
            )
        except CallFailed as failure:
            scope.fail(failure, f"page {page}")
            done.close(scope)
            return done
        tests = list(scope.keyed(scope.take(answer)))
        done.land(scope, [scope.row(test, product_id=product_id) for test in tests])
        done.test_ids = [int(test.id) for test in tests]
        if tests:
            done.steps.append(partial(self._tests_page, scope, product_id, page + 1))
        else:
            if answer.value:
                scope.fail(CallFailed("nothing new"), f"page {page}")
            done.close(scope)
        return done

    def _test(self, test_id: int) -> _Done:
        done, scope = _Done(), self._scope(TESTS, test_id=test_id)
        try:
            answer = self._client.get(f"/exploratory_tests/{test_id}", "exploratory_test")
        except NotFound as gone:
            scope.book(gone.effort)
        except CallFailed as failure:
            scope.fail(failure)
        else:
            for test in scope.keyed([scope.take(answer)]):
                done.land(scope, [scope.row(test, product_id=nested_id(test.value, "product"))])
            done.test_ids = [test_id]
        done.close(scope)
        return done

    def _bugs(self, test_ids: list[int], spent: Effort = _NOTHING_SPENT) -> _Done:
        """Bugs of several tests at once; of half as many where the answer takes too long."""
        done = _Done()
        scopes = {id_: self._scope(BUGS, test_id=id_) for id_ in test_ids}
        first = scopes[test_ids[0]]
        first.book(spent)
        params = {"filter_test_cycle_ids": ",".join(map(str, test_ids))}
        try:
            answer = self._client.get(
                BUGS.path, BUGS.answer_key, params, divisible=len(test_ids) > 1
            )
        except CallFailed as failure:
            if isinstance(failure, TooSlow) and len(test_ids) > 1:
                middle = len(test_ids) // 2
                done.steps = [
                    partial(self._bugs, test_ids[:middle], spent + failure.effort),
                    partial(self._bugs, test_ids[middle:]),
                ]
                return done
            for scope in scopes.values():
                scope.fail(failure)
        else:
            stray = self._scope(BUGS)
            of_scope: dict[Scope, list[Any]] = defaultdict(list)
            for bug in first.take(answer):
                test_id = nested_id(bug, "test")
                of_scope[scopes.get(test_id, stray) if test_id else stray].append(bug)
            done.land(
                first,
                [
                    scope.row(bug, test_id=nested_id(bug.value, "test"))
                    for scope, bugs in of_scope.items()
                    for bug in scope.keyed(bugs)
                ],
            )
            if stray in of_scope:
                done.close(stray)
        done.close(*scopes.values())
        return done


def _sections(product: dict[str, Any]) -> list[int]:
    """Return the sections that must be asked for one by one; none for an ordinary product.

    A product has sections if `sections` is not empty, or `sections_with_default` has more than one
    entry.
    """
    plain, with_default = (
        [
            parse_id(section.get("id"))
            for section in product.get(name) or []
            if isinstance(section, dict)
        ]
        for name in ("sections", "sections_with_default")
    )
    if not plain and len(with_default) <= 1:
        return []
    return [id_ for id_ in dict.fromkeys(plain + with_default) if id_ is not None]
