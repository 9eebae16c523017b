"""Faults in records: extra records among the bugs of one test, the first one that has bugs.

Every answer with bugs of that test has them, so they belong to the same test whatever the request.
"""

from collections.abc import Collection
from typing import Any, NamedTuple

import orjson

from testio_sandbox.faults.common import around, listed, records_in, tests_by_product
from testio_sandbox.record import Record, part, usable_id
from testio_sandbox.server import Answer, Handler, Query

_FIRST_ID = 8_000_000_000_000  # far from the ids of any account
STRAY_ID = _FIRST_ID + 1000
"""The id of the bug that does not name its test."""
_RAW = "@raw@"
_ABSENT: Any = object()


class Hostile(NamedTuple):
    """A record that can break a loader."""

    record: Any
    """The fields that differ from a valid bug, or a value that is no object."""
    raw: bytes = b""
    """Bytes that replace `_RAW`, for a value that orjson cannot write."""


HOSTILE: dict[str, Hostile] = {
    "no_id": Hostile({"id": _ABSENT}),
    "null_id": Hostile({"id": None}),
    "digits_as_id": Hostile({"id": str(_FIRST_ID + 2)}),
    "word_as_id": Hostile({"id": "abc"}),
    "huge_id": Hostile({"id": _RAW}, b"1180591620717411303424"),
    "null": Hostile(None),
    "number": Hostile(17),
    "objects_and_lists_mixed_up": Hostile({
        "devices": {"id": 1, "vendor": {"name": "Apple"}},
        "comments": "I can see this too.",
        "test_feature": [],
        "attachments": 3,
        "author": "ines",
        "steps": {"1": "Open the start page"},
    }),
    "zero_time": Hostile({"reported_at": "0000-00-00T00:00:00Z"}),
    "word_as_time": Hostile({"reported_at": "yesterday"}),
    "distant_time": Hostile({"reported_at": "99999-01-01T00:00:00Z"}),
    "huge_number": Hostile({"external_idx": _RAW}, b"123456789012345678901234567890"),
    "half_a_pair": Hostile({"title": _RAW}, rb'"Half of a pair: \ud800, alone"'),
    "not_a_number": Hostile({"external_idx": _RAW}, b"NaN"),
    "keys_that_differ_in_case": Hostile({"Title": "The other title", "SEVERITY": "high"}),
    "long_text": Hostile({"actual_result": "All of the log.\n" * 3750}),
    "nul_character": Hostile({"title": "Before\0after"}),
}  # fmt: skip
"""Hostile records by what is wrong with them."""
HOSTILE_IDS: dict[str, int] = {
    name: _FIRST_ID + place
    for place, (name, (record, _)) in enumerate(HOSTILE.items())
    if isinstance(record, dict) and ("id" not in record or usable_id(record) is not None)
}
"""The ids of hostile records that are still bugs; the others cannot be kept."""


def hostile_records(handler: Handler, *, kinds: Collection[str] = tuple(HOSTILE)) -> Handler:
    """Add hostile records to the bugs of a test."""
    bug = _first_bug(handler)
    like = {name: bug[name] for name in ("test", "product", "severity", "status")}
    return _with_extras(
        handler,
        bug,
        [_hostile(name, at, like) for at, name in enumerate(HOSTILE) if name in kinds],
    )


def stray_bug(handler: Handler) -> Handler:
    """Add a bug that does not name its test to the bugs of a test."""
    bug = _first_bug(handler)
    stray = {**bug, "id": STRAY_ID, "title": "Of no test"}
    del stray["test"]
    return _with_extras(handler, bug, [orjson.dumps(stray)])


def _first_bug(handler: Handler) -> Record:
    """Return a bug of the first test that has any."""
    for tests in tests_by_product(handler, per_page=100):
        for test in tests:
            bugs = listed(handler, "/bugs", filter_test_cycle_ids=usable_id(test))
            for bug in bugs:
                if usable_id(part(bug, "test")) == usable_id(test):
                    found: Record = bug
                    return found
    raise ValueError("no test has bugs")


def _hostile(name: str, at: int, like: Record) -> bytes:
    record, raw = HOSTILE[name]
    if isinstance(record, dict):
        fields = {"id": _FIRST_ID + at, "title": f"Hostile: {name}", **like, **record}
        record = {key: value for key, value in fields.items() if value is not _ABSENT}
    return orjson.dumps(record).replace(f'"{_RAW}"'.encode(), raw)


def _with_extras(handler: Handler, bug: Record, extras: list[bytes]) -> Handler:
    """Add records to every answer that has bugs of the same test."""
    test_id = usable_id(bug["test"])

    @around(handler)
    def answer(path: str, query: Query) -> Answer:
        found = handler(path, query)
        bugs = records_in(found, "bugs") if path == "/bugs" else []
        if all(usable_id(part(other, "test")) != test_id for other in bugs):
            return found
        return Answer(200, b",".join([found.data().removesuffix(b"]}"), *extras]) + b"]}")

    return answer
