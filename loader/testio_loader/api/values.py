"""Reads values of the API's JSON, where each value may have any type."""

from typing import Any

_LARGEST_ID = 2**63 - 1


def parse_id(value: Any) -> int | None:
    """Return the id in an integer or a text of digits; None for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 19:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST_ID:
        return value
    return None


def record_id(record: Any) -> int | None:
    """Return the id of a record."""
    return parse_id(record.get("id")) if isinstance(record, dict) else None


def nested_id(record: Any, name: str) -> int | None:
    """Return the id of the object under the key `name`, such as a bug's test."""
    return record_id(record.get(name)) if isinstance(record, dict) else None


def objects(record: Any, name: str) -> list[dict[str, Any]]:
    """Return the objects in the list under the key `name`; empty if there is no list."""
    found = record.get(name) if isinstance(record, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
