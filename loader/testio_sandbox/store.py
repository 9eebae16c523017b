"""The account's current records: as created, with all later edits."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from orjson import Fragment

from testio_sandbox.plan import Plan
from testio_sandbox.prepared import Prepared
from testio_sandbox.record import Kind, Record, part, usable_id

PARENTS: dict[Kind, Kind] = {"features": "products", "tests": "products", "bugs": "tests"}
_QUOTED: tuple[tuple[str, Kind], ...] = (("product", "products"), ("test", "tests"))
MISSING: Any = object()
"""In `change`, a field with this value is removed."""


class Store:
    """Finds and edits records; an added record has a negative number."""

    def __init__(
        self, plan: Plan, makers: Mapping[Kind, Callable[[int], Record]], kept_bytes: int
    ) -> None:
        self._plan = plan
        self._makers = makers
        self._changed: dict[tuple[Kind, int], Record] = {}
        self._removed: set[tuple[Kind, int]] = set()
        self._added: dict[Kind, list[tuple[Any, int]]] = {kind: [] for kind in makers}
        self.prepared = Prepared(kept_bytes)

    def find(self, kind: Kind, id_: int | None) -> int | None:
        """Return the number of the record with this id, if it exists."""
        found = [] if id_ is None else list(self._numbers_of(kind, id_))
        return next((number for number in found if self.is_there(kind, number)), None)

    def is_there(self, kind: Kind, number: int) -> bool:
        """Return whether neither a record nor its parents were removed."""
        if (kind, number) in self._removed:
            return False
        return kind not in PARENTS or self.is_there(PARENTS[kind], self.parent(kind, number))

    def numbers(self, kind: Kind, parent: int = 0) -> list[int]:
        """Return the numbers of products, or of a parent's records; added records come first."""
        records = self._added[kind]
        numbers = [-1 - at for at, record in enumerate(records) if record[1] == parent][::-1]
        if kind == "products":
            numbers += range(self._plan.counts["products"])
        elif parent >= 0:
            numbers += self._plan.children(kind, parent)
        return [number for number in numbers if (kind, number) not in self._removed]

    def parent(self, kind: Kind, number: int) -> int:
        """Return the number of a record's parent."""
        return self._added[kind][-1 - number][1] if number < 0 else self._plan.parent(kind, number)

    def get(self, kind: Kind, number: int) -> Any:
        """Return a record."""
        record = self._added[kind][-1 - number][0] if number < 0 else self._makers[kind](number)
        if not self._changed or not isinstance(record, dict):
            return record
        record = {**record, **self._changed.get((kind, number), {})}
        for name, quoted_kind in _QUOTED:  # bugs repeat their test and product, tests their product
            quoted = part(record, name)
            for quoted_number in self._numbers_of(quoted_kind, usable_id(quoted)):
                fields = self._changed.get((quoted_kind, quoted_number), {})
                record[name] = {key: fields.get(key, value) for key, value in quoted.items()}
        return {name: value for name, value in record.items() if value is not MISSING}

    def fragment(self, kind: Kind, number: int) -> Fragment:
        """Return a record for an answer."""
        return self.prepared.fragment((kind, number), partial(self.get, kind, number))

    def kept(self, kind: Kind, number: int) -> Any:
        """Return a record, and cache it for a later answer."""
        return self.prepared.record((kind, number), partial(self.get, kind, number))

    def change(self, kind: Kind, id_: int, fields: Record) -> None:
        """Change fields of a record."""
        self._changed.setdefault((kind, self._required(kind, id_)), {}).update(fields)
        self.prepared.forget()

    def remove(self, kind: Kind, id_: int) -> None:
        """Remove a record and its children."""
        self._removed.add((kind, self._required(kind, id_)))
        self.prepared.forget()

    def add(self, kind: Kind, record: Any, parent_id: int | None) -> None:
        """Add a record to its parent."""
        parent = self._required(PARENTS[kind], parent_id) if kind in PARENTS else 0
        self._added[kind].append((record, parent))
        self.prepared.forget()

    def _required(self, kind: Kind, id_: int | None) -> int:
        number = self.find(kind, id_)
        if number is None:
            raise KeyError(f"none of the {kind} has id {id_}")
        return number

    def _numbers_of(self, kind: Kind, id_: int | None) -> Iterator[int]:
        if id_ is None:
            return
        for at, (record, _) in enumerate(self._added[kind]):
            if usable_id(record) == id_:
                yield -1 - at
        number = self._plan.number(kind, id_)
        if number is not None:
            yield number
