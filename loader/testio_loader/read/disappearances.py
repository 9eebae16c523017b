"""Decides whether a read may be believed that lacks many known records.

A record counts as deleted if the latest complete read of its scope lacks it, see
`models/intermediate/int_present_records.sql`. Here, a read counts as complete or not.

A faulty answer can lack thousands of records. A mass disappearance is therefore not believed until
the user confirms it: the affected scopes are incomplete, and the missing records stay.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from tempfile import SpooledTemporaryFile
from threading import Lock
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from testio_loader.api.endpoints import ENDPOINTS, PRODUCTS, TESTS
from testio_loader.read.refresh_policy import EarlierLoads
from testio_loader.read.scope import WHEN_RECORDED, Scope

_FEWEST = {PRODUCTS.name: 1}
_FEWEST_BY_DEFAULT = 20
"""A disappearance is doubted only if at least this many records of the endpoint are known."""
_ENDING = "are missing"
_IN_MEMORY = 10_000_000
"""Bytes of held ledger rows that stay in memory; above this, they go to a temporary file."""


class Disappearances:
    """Holds the ledger rows of scopes that lack known records until everything has been read.

    Before that, the missing records may still turn up in another scope. If a product or test is
    gone, its own scopes are not read; their records count as missing, too.

    Args:
        known: what earlier loads have read.
        are_accepted: whether every disappearance counts as a deletion.
    """

    def __init__(self, known: EarlierLoads, *, are_accepted: bool = False) -> None:
        self._known = known
        self.are_accepted = are_accepted
        self._seen: defaultdict[str, array[int]] = defaultdict(_ids)
        """Per endpoint: the ids that any scope has seen."""
        self._expected: defaultdict[str, array[int]] = defaultdict(_ids)
        """Per endpoint: the known ids of the scopes that were read completely."""
        self._lacking: defaultdict[str, set[int]] = defaultdict(set)
        """Per endpoint: the expected ids that their own scope lacks."""
        self._held: dict[str, _Rows] = {}
        """Per endpoint: the held ledger rows."""
        self._lock = Lock()

    def hold(self, scope: Scope, row: dict[str, Any]) -> bool:
        """Note the ids that a closed scope has seen; hold its ledger row if it lacks known records.

        Returns:
            Whether the row is held; `release` yields it later.
        """
        endpoint = scope.endpoint
        if endpoint.id_field != "id":
            return False
        expected = self._known.ids(endpoint.name, scope.product_id, scope.test_id)
        with self._lock:
            if self._known.has(endpoint.name):
                self._seen[endpoint.name].extend(id_ for id_ in scope.ids if isinstance(id_, int))
            if not row["is_complete"]:
                return False
            self._expected[endpoint.name].extend(expected)
            lacking = [id_ for id_ in expected if not scope.has(id_)]
            if not lacking:
                return False
            self._lacking[endpoint.name].update(lacking)
            self._held.setdefault(endpoint.name, _Rows()).add(row)
            return True

    def release(self) -> Iterator[dict[str, Any]]:
        """Yield the held rows, incomplete where the disappearance is not believed."""
        findings = self.findings()
        for name, rows in self._held.items():
            for row in rows:
                if name in findings and self.are_accepted:
                    remarks = filter(None, (row["remarks"], f"{findings[name]}, as accepted"))
                    row["remarks"] = "; ".join(remarks)
                elif name in findings:
                    row["is_complete"], row["outcome"] = False, findings[name]
                yield row

    def findings(self) -> Mapping[str, str]:
        """Return a message per endpoint whose disappearance the user must confirm."""
        if not self._held:
            return {}
        missing = {name: self._unseen(name, ids) for name, ids in self._lacking.items()}
        findings = {
            name: finding
            for name, ids in missing.items()
            if (finding := _finding(name, len(ids), self._expected[name]))
        }
        parents = {PRODUCTS.name, TESTS.name} & self._held.keys() - findings.keys()
        if finding := self._inherited(missing, parents):
            findings |= dict.fromkeys(parents, finding)
        return findings

    def _inherited(self, missing: Mapping[str, set[int]], parents: set[str]) -> str:
        """Return a message if too many records go with missing products and tests, else "".

        Args:
            missing: per endpoint, the ids that scopes lack.
            parents: products, tests or both, if their own disappearance would be believed.
        """
        known = self._known
        gone_products = missing[PRODUCTS.name] if PRODUCTS.name in parents else set()
        gone_tests = set(missing[TESTS.name]) if TESTS.name in parents else set()
        for product_id in gone_products:
            gone_tests |= self._unseen(TESTS.name, known.ids(TESTS.name, product_id))
        products, tests = known.ids(PRODUCTS.name), known.tests()
        for endpoint in ENDPOINTS:
            name = endpoint.name
            if endpoint.parent == "product":
                gone = known.all_ids(name, product_ids=gone_products)
                everything = known.all_ids(name, product_ids=products)
            elif endpoint.parent == "test":
                gone = known.all_ids(name, test_ids=gone_tests)
                everything = known.all_ids(name, test_ids=tests)
            else:
                continue
            if unseen := self._unseen(name, gone):
                count = len(unseen | missing.get(name, set()))
                if finding := _finding(name, count, everything):
                    return finding
        return ""

    def _unseen(self, name: str, ids: Iterable[int]) -> set[int]:
        return set(ids).difference(self._seen[name])


class _Rows:
    """Held ledger rows; in memory, or in a temporary file if they are many."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed with self

    def add(self, row: dict[str, Any]) -> None:
        self._file.write(orjson.dumps(row) + b"\n")

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self._file.seek(0)
        for line in self._file:
            row: dict[str, Any] = orjson.loads(line)
            yield {**row, "read_at": datetime.fromisoformat(row["read_at"])}


def is_disappearance(problem: str) -> bool:
    """Return whether a scope is incomplete only because its deletions are not believed."""
    return problem.endswith(_ENDING) and WHEN_RECORDED not in problem


def _ids() -> "array[int]":
    return array("q")


def _finding(name: str, missing: int, known_ids: Iterable[int]) -> str:
    """Return a message if too many known records are missing to believe it, else ""."""
    fewest = _FEWEST.get(name, _FEWEST_BY_DEFAULT)
    if 2 * missing < fewest:  # true for most loads; counting all known ids is slow
        return ""
    known = pc.count_distinct(pa.array(array("q", known_ids), pa.int64())).as_py()
    if known < fewest or 2 * missing <= known:
        return ""
    return f"{missing:,} of {known:,} known {name.replace('_', ' ')} {_ENDING}"
