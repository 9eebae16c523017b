"""Reads the parameters of requests, and refuses invalid ones."""

import re
from typing import Any

from testio_sandbox.server import Query

_PER_PAGE, _LARGEST_PAGE = 25, 100


class RefusedError(Exception):
    """A request is refused, with an HTTP status and a reason."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status


def wants_stories(query: Query) -> bool:
    """Return whether the request wants user stories as objects."""
    return "user_stories" in query.get("includes[]", ())


def choice(query: Query, name: str, values: tuple[str, ...]) -> str:
    """Return a parameter that must be one of the values; the first is the default."""
    value = query.get(name, values)[0]
    if value not in values:
        raise RefusedError(422, f"{name} must be one of {', '.join(values)}")
    return value


def ids(query: Query, name: str) -> list[int] | None:
    """Return distinct ids, given one by one or comma-separated; None without the parameter."""
    if name not in query:
        return None
    texts = [text for value in query[name] for text in value.split(",")]
    return list(dict.fromkeys(_number(text, name) for text in texts))


def one_id(query: Query, name: str) -> int | None:
    """Return the id in a parameter; None without the parameter."""
    return _number(query[name][0], name) if name in query else None


def repeated_ids(query: Query, name: str) -> set[int] | None:
    """Return ids that must be given one by one; None without the parameter."""
    return {_number(text, name) for text in query[name]} if name in query else None


def page(query: Query, values: list[Any]) -> list[Any]:
    """Return the requested page; it is empty beyond the end."""
    start, stop = window(query)
    return values[start:stop]


def window(query: Query) -> tuple[int, int]:
    """Return the start of the requested page, and of the next one."""
    number = _number(query.get("page", ["1"])[0], "page")
    per_page = _number(query.get("per_page", [str(_PER_PAGE)])[0], "per_page")
    if number < 1 or per_page < 1:
        raise RefusedError(422, "page and per_page must be at least 1")
    per_page = min(per_page, _LARGEST_PAGE)
    return (number - 1) * per_page, number * per_page


def _number(text: str, name: str) -> int:
    if not re.fullmatch("[0-9]{1,18}", text):
        raise RefusedError(422, f"{name} accepts only numbers")
    return int(text)
