"""What a record is, and how its parts are reached when nothing is certain about its shape."""

from typing import Any, Literal

Record = dict[str, Any]
Kind = Literal["products", "features", "tests", "bugs"]
"""The records that can be edited."""


def part(record: Any, name: str) -> Record:
    """Return what a record holds under a name, if that is an object."""
    found = record.get(name) if isinstance(record, dict) else None
    return found if isinstance(found, dict) else {}


def parts(record: Any, name: str) -> list[Record]:
    """Return the objects in the list that a record holds under a name."""
    found = record.get(name) if isinstance(record, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def usable_id(record: Any, name: str = "id") -> int | None:
    """Return the id of a record, or of another one that it names: digits, as a number or text."""
    value = record.get(name) if isinstance(record, dict) else None
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
