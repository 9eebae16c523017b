"""The type of records, and access to parts of records that can have any shape."""

from typing import Any, Literal

Record = dict[str, Any]
Kind = Literal["products", "features", "tests", "bugs"]
"""The records that can be edited."""


def part(record: Any, name: str) -> Record:
    """Return the object that a record has under a name; empty if it has none."""
    found = record.get(name) if isinstance(record, dict) else None
    return found if isinstance(found, dict) else {}


def parts(record: Any, name: str) -> list[Record]:
    """Return the objects in the list that a record has under a name."""
    found = record.get(name) if isinstance(record, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def usable_id(record: Any, name: str = "id") -> int | None:
    """Return the id in a record's field, given as a number or as text of digits; else None."""
    value = record.get(name) if isinstance(record, dict) else None
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
