"""What a request asks for, and the refusal of what makes no sense."""

import re
from typing import Any

from testio_sandbox.server import Query

_PER_PAGE, _LARGEST_PAGE = 25, 100


class RefusedError(Exception):
    """A request that cannot be answered: the status, and what is wrong."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status


def wants_stories(query: Query) -> bool:
    """Return whether user stories are wanted as objects."""
    return "user_stories" in query.get("includes[]", ())


def choice(query: Query, name: str, values: tuple[str, ...]) -> str:
    """Return one of the values; the first, if there is no such parameter."""
    value = query.get(name, values)[0]
    if value not in values:
        raise RefusedError(422, f"{name} is none of {', '.join(values)}")
    return value


def ids(query: Query, name: str) -> list[int] | None:
    """Return distinct ids, given one by one or in a list; None without such a parameter."""
    if name not in query:
        return None
    texts = [text for value in query[name] for text in value.split(",")]
    return list(dict.fromkeys(_number(text, name) for text in texts))


def one_id(query: Query, name: str) -> int | None:
    """Return the id that a parameter names, if it is there."""
    return _number(query[name][0], name) if name in query else None


def repeated_ids(query: Query, name: str) -> set[int] | None:
    """Return ids that must be given one by one; None without such a parameter."""
    return {_number(text, name) for text in query[name]} if name in query else None


def page(query: Query, values: list[Any]) -> list[Any]:
    """Return the page that is asked for; beyond the end it is empty."""
    start, stop = window(query)
    return values[start:stop]


def window(query: Query) -> tuple[int, int]:
    """Return where the page that is asked for starts, and where the next one does."""
    number = _number(query.get("page", ["1"])[0], "page")
    per_page = _number(query.get("per_page", [str(_PER_PAGE)])[0], "per_page")
    if number < 1 or per_page < 1:
        raise RefusedError(422, "page and per_page count from 1")
    per_page = min(per_page, _LARGEST_PAGE)
    return (number - 1) * per_page, number * per_page


def _number(text: str, name: str) -> int:
    if not re.fullmatch("[0-9]{1,18}", text):
        raise RefusedError(422, f"{name} takes numbers")
    return int(text)
