"""Values of a JSON document as the warehouse takes them; a value that does not fit is None."""

import json
import re
from datetime import UTC, datetime
from typing import Any

BLANKS = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
)
TIME = re.compile(
    r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?"
    r"(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)"
)


class Number(str):
    """A JSON number, as it is written."""


def parsed(payload: str) -> Any:
    """Return a JSON document, or None if it is not JSON."""
    try:
        return json.loads(payload, parse_int=Number, parse_float=Number)
    except ValueError:
        return None


def at(document: Any, path: str) -> Any:
    """Return the value at a path such as `author.name`, or None."""
    for key in path.split("."):
        document = document.get(key) if isinstance(document, dict) else None
    return document


def array(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def text(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str) else None


def label(value: Any) -> str | None:
    """Return a text that is not blank."""
    found = text(value)
    return found if found and found.strip(BLANKS) else None


def name(value: Any) -> str | None:
    """Return a label that is neither a number nor a boolean."""
    return label(value) if type(value) is str else None


def lines(value: Any) -> str | None:
    if not isinstance(value, list):
        return text(value)
    if any(isinstance(line, dict | list) for line in value):
        return None
    return "\n".join(line for line in map(text, value) if line is not None)


def whole(value: Any) -> int | None:
    is_whole = isinstance(value, str) and re.fullmatch("-?[0-9]{1,19}", value)
    return int(value) if is_whole and -(2**63) <= int(value) < 2**63 else None


def is_true(value: Any) -> bool:
    return value is True or value == "true"


def moment(value: Any) -> datetime | None:
    """Return a full ISO 8601 time with an offset, in UTC."""
    if not isinstance(value, str) or not TIME.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value).astimezone(UTC).replace(tzinfo=None)
    except ValueError:  # a day that the month does not have
        return None
