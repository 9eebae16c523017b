"""A scope is the unit of a complete read: all products, one product's tests, one test's bugs.

It also puts records that cannot land into quarantine.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any

from testio_loader.api.base import ApiResponse, CallCost, CallError
from testio_loader.api.canonical_json import canonical
from testio_loader.api.endpoints import Endpoint
from testio_loader.api.values import nested_id
from testio_loader.read.records import (
    BadRecordError,
    Record,
    abridged,
    content_hash,
    is_larger,
    make_record,
)
from testio_loader.tables import RECORD_KEY, TEST_HASH, record_key

MAX_RECORD_BYTES = 64_000_000
"""Default maximum size of a record's JSON; larger records go to quarantine."""
COMPLETE = "ok"
"""The outcome of a scope that was read completely."""
WHEN_RECORDED = "when recorded"
"""Prefix of problems that the recorded load had."""
_TWICE = "given twice, with different content"


class Scope:
    """The state of one scope: ids seen, quarantined records, problems, and the cost of reading."""

    def __init__(
        self,
        endpoint: Endpoint,
        customer_id: int,
        *,
        product_id: int | None = None,
        test_id: int | None = None,
        max_record_bytes: int = MAX_RECORD_BYTES,
    ) -> None:
        self.endpoint = endpoint
        self.product_id = product_id
        self.test_id = test_id
        self.claimed_count: int | None = None
        self.mended_count = 0
        self.quarantined: list[tuple[str, str]] = []
        """The reason and the JSON of each quarantined record."""
        self._unkeyed = 0
        self._too_large: set[int | str] = set()
        self._max_record_bytes = max_record_bytes
        self._customer_id = customer_id
        self._contents: dict[int | str, int] = {}
        self._cost = CallCost()
        self._record_count = 0
        self._repeated_count = 0
        self._problems: list[str] = []
        self._remarks: list[str] = []
        self._versions = 0
        self.test_hash: str | None = None
        """For details: a hash of their test's other data, which were read before."""

    @property
    def has_failed(self) -> bool:
        """Whether anything could not be read so far."""
        return bool(self._problems)

    @property
    def outcome(self) -> str:
        """What could not be read, or `COMPLETE`.

        A record without a key may be any record, so a missing id does not prove a deletion. A
        record that is too large exists, although it has not landed.
        """
        problems = list(self._problems)
        if self._unkeyed:
            problems.append(f"{self._unkeyed} in quarantine without a key")
        if self._too_large:
            problems.append(
                f"{len(self._too_large)} in quarantine because larger than max_record_mb "
                f"({self._max_record_bytes / 1_000_000:g} MB)"
            )
        return "; ".join(problems) or COMPLETE

    @property
    def remarks(self) -> str | None:
        """Observations that do not make the scope incomplete."""
        return "; ".join(self._remarks) or None

    def take(self, answer: ApiResponse) -> Any:
        """Add the cost and the mended values of an answer, and return its value."""
        self.add_cost(answer.cost)
        self.mended_count += answer.mended
        return answer.value

    def add_cost(self, cost: CallCost) -> None:
        """Add the cost of a call."""
        self._cost += cost

    def fail(self, reason: CallError | str, what: str = "") -> None:
        """Note what could not be read; the scope is then incomplete."""
        problem = f"{what}: {reason}" if what else str(reason)
        if problem not in self._problems:
            self._problems.append(problem)

    def remark(self, text: str) -> None:
        """Note an observation that does not make the scope incomplete."""
        if text not in self._remarks:
            self._remarks.append(text)

    @property
    def ids(self) -> Collection[int | str]:
        """The ids of all records seen so far."""
        return self._contents.keys()

    def has(self, id_: int | str) -> bool:
        """Return whether a record with this id was seen."""
        return id_ in self._contents

    def keyed(
        self, values: Iterable[Any], *, repeats: bool = False, default_id: int | None = None
    ) -> Iterator[Record]:
        """Yield each record that can land, once or with its repeats; quarantine the others.

        If one answer has a record twice with different content, the other copy goes to quarantine.
        If a later page differs from an earlier one, the record has changed meanwhile, and the next
        load lands the change. `default_id` is for records without an id, if the request
        determines it.
        """
        for record in self._one_of_each(values, default_id):
            content = hash(record.content) if repeats else 0  # never compared
            is_new = record.id not in self._contents
            self._repeated_count += not is_new
            if content != self._contents.setdefault(record.id, content) and repeats:
                self._quarantine(_TWICE, record.value)
            if is_larger(record.payload, self._max_record_bytes):
                if is_new:
                    self._too_large.add(record.id)
                    megabytes = len(record.payload.encode()) / 1_000_000
                    self._quarantine(f"too large to land: {megabytes:,.1f} MB", record.value)
            elif is_new or repeats:
                yield record

    def _one_of_each(self, values: Iterable[Any], default_id: int | None) -> list[Record]:
        """Return one record per id of an answer; quarantine the others and those without a key.

        Of several contents, the last in sort order is chosen. The order of an answer does not show
        which is right, and a different choice in the next load would look like a change.
        """
        found: dict[int | str, dict[str, Record]] = {}
        for value in values:
            self._record_count += 1
            try:
                record = make_record(
                    value, self.endpoint.id_field, default_id, without=self.endpoint.results
                )
            except BadRecordError as reason:
                self._unkeyed += 1
                self._quarantine(str(reason), value)
                continue
            contents = found.setdefault(record.id, {})
            self._repeated_count += bool(contents)
            contents.setdefault(record.content, record)
        for contents in found.values():
            for content in sorted(contents)[:-1]:
                self._quarantine(_TWICE, contents[content].value)
        return [contents[max(contents)] for contents in found.values()]

    def row(self, record: Record, loaded_at: datetime, **columns: Any) -> dict[str, Any]:
        """Return the row of a record for the raw table."""
        key: dict[str, Any] = {"customer_id": self._customer_id, "id": record.id}
        key |= {name: columns.get(name) for name in self.endpoint.columns}
        version = content_hash(
            self.endpoint.name, *self._hashed(key, record).values(), record.content
        )
        self._versions += int(version, 16)
        return {
            **key,
            RECORD_KEY: record_key(*(key[name] for name in self.endpoint.key)),
            "payload": record.payload,
            "content_hash": version,
            "loaded_at": loaded_at,
        }

    @property
    def versions(self) -> str | None:
        """The sum of all content hashes, in any order; None if not all records have landed."""
        is_all = self.outcome == COMPLETE and not self.quarantined
        return f"{self._versions:x}" if is_all else None

    def version(self, record: Record, customer_id: int) -> str:
        """Return a record's content hash for a customer; only for endpoints without columns."""
        return content_hash(self.endpoint.name, customer_id, record.id, record.content)

    def _hashed(self, key: dict[str, Any], record: Record) -> dict[str, Any]:
        """Return the columns that, with the content, make a version.

        Lists come in no fixed order, so only the test's own `product` counts, not that of the list.
        """
        if self.endpoint.parent != "test" or "product_id" not in key:
            return key
        return key | {"product_id": nested_id(record.value, "product")}

    def ledger_row(self, read_at: datetime) -> dict[str, Any]:
        """Return the ledger row of the scope."""
        return {
            **self._key(),
            "is_complete": self.outcome == COMPLETE,
            "outcome": self.outcome,
            "record_count": self._record_count,
            "quarantined_count": len(self.quarantined),
            "mended_count": self.mended_count,
            "repeated_count": self._repeated_count,
            "claimed_count": self.claimed_count,
            # Only ids of records that have landed.
            "ids": canonical(sorted(self._contents.keys() - self._too_large)),
            "remarks": self.remarks,
            "requests": self._cost.requests,
            "tries": self._cost.tries,
            "read_at": read_at,
            TEST_HASH: self.test_hash,
        }

    def quarantine_rows(self, loaded_at: datetime) -> list[dict[str, Any]]:
        """Return the rows of the quarantined records."""
        return [
            {
                **self._key(),
                "reason": reason,
                "original": original,
                "loaded_at": loaded_at,
            }
            for reason, original in self.quarantined
        ]

    def _quarantine(self, reason: str, value: Any) -> None:
        self.quarantined.append((reason, abridged(value, self._max_record_bytes)))

    def _key(self) -> dict[str, Any]:
        return {
            "customer_id": self._customer_id,
            "endpoint": self.endpoint.name,
            "product_id": self.product_id,
            "test_id": self.test_id,
        }


def describe(
    endpoint: str, text: str, count: int, product_id: int | None, test_id: int | None
) -> str:
    """Return a line about `count` scopes of an endpoint; it names the first product or test."""
    of_what = f" of product {product_id}" if product_id is not None else ""
    of_what = f" of test {test_id}" if test_id is not None else of_what
    more = f" and {count - 1:,} more" if count > 1 else ""
    return f"{endpoint}{of_what}{more}: {text}"
