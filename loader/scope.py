"""A scope is what is read as a whole or not: all products, one product's tests, one test's bugs."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from loader.canonical import canonical
from loader.client import Answer, CallFailed, Effort
from loader.records import BadRecord, Record, content_hash, make_record
from loader.tables import Endpoint

COMPLETE = "ok"
"""The outcome of a scope that was read completely."""


class Scope:
    """Keeps the books of one scope: ids seen, records put aside, what reading has cost."""

    def __init__(
        self,
        endpoint: Endpoint,
        customer_id: int,
        loaded_at: datetime,
        *,
        product_id: int | None = None,
        test_id: int | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.quarantine: list[dict[str, Any]] = []
        self._key = {
            "customer_id": customer_id,
            "endpoint": endpoint.name,
            "product_id": product_id,
            "test_id": test_id,
        }
        self._loaded_at = loaded_at
        self._contents: dict[int | str, int] = {}
        self._effort = Effort()
        self._record_count = 0
        self._mended_count = 0
        self._problems: list[str] = []

    def take(self, answer: Answer) -> Any:
        """Book what an answer has cost, and return its value."""
        self.book(answer.effort)
        self._mended_count += answer.mended
        return answer.value

    def book(self, effort: Effort) -> None:
        """Book what was spent without an answer."""
        self._effort += effort

    def fail(self, failure: CallFailed, what: str = "") -> None:
        """Book a call that failed: the scope is incomplete."""
        self.book(failure.effort)
        self._problems.append(f"{what}: {failure}" if what else str(failure))

    def keyed(self, values: Iterable[Any], *, repeats: bool = False) -> Iterator[Record]:
        """Yield each record that can be keyed, once or with its repeats; quarantine the others."""
        for value in values:
            self._record_count += 1
            try:
                record = make_record(value, self.endpoint.id_field)
            except BadRecord as reason:
                self._put_aside(str(reason), value)
                continue
            content = hash(record.content)
            is_new = record.id not in self._contents
            if self._contents.setdefault(record.id, content) != content:
                self._put_aside("given twice, with different content", value)
            elif is_new or repeats:
                yield record

    def row(self, record: Record, **parents: Any) -> dict[str, Any]:
        """Return the row that lands for a record."""
        key = {"customer_id": self._key["customer_id"], "id": record.id, **parents}
        return {
            **key,
            "payload": record.payload,
            "content_hash": content_hash(self.endpoint.name, *key.values(), record.content),
            "loaded_at": self._loaded_at,
        }

    def ledger_row(self) -> dict[str, Any]:
        """Close the books."""
        return {
            **self._key,
            "is_complete": not self._problems,
            "outcome": "; ".join(self._problems) or COMPLETE,
            "record_count": self._record_count,
            "quarantined_count": len(self.quarantine),
            "mended_count": self._mended_count,
            "ids": canonical(sorted(self._contents)),
            "requests": self._effort.requests,
            "tries": self._effort.tries,
            "read_at": datetime.now(UTC),
        }

    def _put_aside(self, reason: str, value: Any) -> None:
        self.quarantine.append(
            {
                **self._key,
                "reason": reason,
                "original": canonical(value),
                "loaded_at": self._loaded_at,
            }
        )
