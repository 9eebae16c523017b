"""Records of each endpoint in which one value is what nobody expects there."""

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from testio_loader.api.canonical_json import canonical, parse
from testio_loader.api.endpoints import ENDPOINTS

_FIRST_ID = 7_000_000_000_000  # far from the ids of any account
_UNKNOWN = 1_000_000_000
_IN_NO_ORDER = [
    "b",
    "B",
    "a-b",
    "_a",
    "\u00e9",
    "z",
    "ab",
    "\u00a0 of 1,000",
    "of 1,000 ",
    "\ufb03",
    "\U0001f642",
    "10",
    "9",
]
"""Texts that each language sorts otherwise."""
_NUMBERS = [
    "0", "-0", "-0.0", "1", "-1", "42", "1.0", "3.7", "-1.5e3", "1e2", "1E400", "0.1", "1e15", "123456789012345.678",
    "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
    "18446744073709551616", "123456789012345678901234567890",
]  # fmt: skip
_TEXTS = [
    "", " ", "\n", "0", "-0", "007", " 12", "12 ", "12\n", "+5", "1_000", "1,000", "0x1F", "1e2", "3.7", "٣", "１２",
    "9223372036854775807", "9223372036854775808", "-9223372036854775809", "12345678901234567890",
    "true", "false", "True", "TRUE", "yes", "t", "on", "null", "NULL", r"\N", "[", "[]", "[1", "{}", '{"id":1}', '"',
    "'", "''", "\\", "\\\\", "a.b", "$.a", "a,b]", "{a,b}", "%", "_", "--", "/*", "$$", "a\tb\r\nc",
    "\x01\x1b\x7f\x85", "\u2028\u2029\ufeff\ufffd\uffff", "ß İ ı ς ǅ ﬃ", "e\u0301 \u00e9", "👩\u200d👩\u200d👧 🙂 \U0010ffff", "﷽ \u202e abc",
    "Z", "a", "B", "é", "_a", "accepted", "Accepted", "accepted ",
]  # fmt: skip
_TIMES = [
    "2026-01-31T10:00:00Z", "2026-01-31T10:00:00z", "2026-01-31t10:00:00Z", "2026-01-31T10:00:00", "2026-01-31 10:00:00Z",
    "2026-01-31T10:00Z", "2026-01-31T10Z", "2026-01-31", "20260131T100000Z", "2026-W05-6T10:00:00Z", "2026-031T10:00:00Z",
    "2026-01-31T10:00:00+02:00", "2026-01-31T10:00:00-0530", "2026-01-31T10:00:00+14", "2026-01-31T10:00:00+14:59",
    "2026-01-31T10:00:00+15:00", "2026-01-31T10:00:00-00:00", "2026-01-31T10:00:00 +02:00", "2026-01-31T10:00:00+02:00[Europe/Berlin]",
    *(f"2026-01-31T23:59:59.{'9' * digits}Z" for digits in range(11)), "2026-01-31T10:00:00,5Z", "2026-01-31T10:00:00.1234565Z",
    "2024-02-29T00:00:00Z", "2026-02-29T00:00:00Z", "2000-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-02-30T00:00:00Z",
    "2026-04-31T00:00:00Z", "2026-00-01T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z",
    "2026-01-01T23:59:60Z", "2026-01-01T23:60:00Z", "0000-01-01T00:00:00Z", "0999-12-31T00:00:00Z", "1000-01-01T00:00:00Z",
    "1582-10-10T00:00:00Z", "1893-04-01T00:00:00+00:53", "1994-12-31T12:00:00Z", "1999-12-31T23:59:59-12:00", "2999-12-31T23:59:59-14:00", "3000-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z", "99999-01-01T00:00:00Z", "-2026-01-01T00:00:00Z", "+2026-01-01T00:00:00Z",
    "now", "today", "infinity", "-infinity", "epoch", "1767225600", "2026-01-31T10:00:00ZZ", " 2026-01-31T10:00:00Z", "2026-01-31T10:00:00Z\n",
]  # fmt: skip
_NESTED: list[Any] = [
    None, True, False, [], {}, [[]], [None], [None, None], [{}], [[[]]], [1, "two", None, {"id": 3, "path": "p", "title": "t"}, [4], True, 1.5],
    [{"id": 1}, {"id": "1"}, {"id": None}, {"ID": 2}, {}], [{"name": None}, {"name": {"x": None}}, {"name": [None]}], ["", " ", "a\nb"],
    [{"path": "", "title": "t"}, {"path": None, "title": ""}, {"path": {"a": 1}}, {"title": [1]}],
    {"id": 1, "name": "n"}, {"id": "1", "name": None}, {"id": [1], "name": {"id": 2}}, {"id": 1.0}, {"Id": 1, "NAME": "n"},
    {"": 1, ".": 2, "a.b": 3, "$": 4, "'": 5, '"': 6, "\\": 7, "[0]": 8, "{}": 9, "ü": 10, "🙂": 11, "_": 12, "12": 13, "a12345": 14, "a1234": 15, " ": 16, "\n": 17},
    {"name": {"name": {"name": "deep"}}}, [[1, [2, [3, [{"id": [4]}]]]]], {"0": {"id": 1}, "1": {"id": "x"}},
]  # fmt: skip


def _deep(levels: int) -> Any:
    value: Any = 1
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


def values() -> Iterator[Any]:
    """Give the values that stand where others are expected, as a loader finds them."""
    yield from (parse(number.encode())[0] for number in _NUMBERS)
    yield from _TEXTS
    yield from _TIMES
    yield from _NESTED
    yield _deep(200)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], bool]]:
    """Give each place of a record, and whether anything stands below it."""
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = list(enumerate(value))[:1]
    for key, inner in items:
        yield (*path, key), isinstance(inner, dict | list)
        yield from _places(inner, (*path, key))


def _put(record: Any, path: tuple[Any, ...], value: Any) -> None:
    for key in path[:-1]:
        record = record[key]
    record[path[-1]] = value


def _renamed(value: Any, name: str, key: str = "") -> Any:
    """Return a record that names others than are known, all by one name."""
    if isinstance(value, dict):
        return {key: _renamed(inner, name, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_renamed(inner, name) for inner in value]
    if key == "id" and isinstance(value, int):
        return value + _UNKNOWN
    return name if key in ("name", "title", "path", "test_title") else value


def _variants(record: dict[str, Any]) -> Iterator[str]:
    """Give the documents: each value at each place, and what is no record at all.

    Where nothing stands below, all places are filled at once, each with another value.
    """
    all_values = list(values())
    places = list(_places(record))
    leaves = [path for path, is_branch in places if not is_branch]
    for turn in range(len(all_values)):
        variant = copy.deepcopy(record)
        for number, path in enumerate(leaves):
            _put(variant, path, all_values[(turn + 7 * number) % len(all_values)])
        yield canonical(variant)
    for path in (path for path, is_branch in places if is_branch):
        for value in (*_NESTED, "", "[1]", "{}", 0, 1.5):
            variant = copy.deepcopy(record)
            _put(variant, path, value)
            yield canonical(variant)
    for text in _IN_NO_ORDER:
        yield canonical(_renamed(record, text))
    yield from map(canonical, all_values)
    yield from (
        "not json",
        "{",
        '{"id":1',
        "'",
        "nul",
        "\ufeff{}",
        "{'id':1}",
        "// {}",
        '{"id":01}',
    )


def land(warehouse: Path, leave_out: str | None = None) -> int:
    """Add the battery to what has landed, seen by the reads it would have come with.

    Documents in which the pattern `leave_out` is found do not land.
    """
    count = 0
    with duckdb.connect(str(warehouse)) as connection:
        for endpoint in ENDPOINTS:
            raw = f"testio_raw.{endpoint.name}"
            landed = connection.sql(
                f"from {raw} where _dlt_valid_to is null order by length(payload) desc, id limit 1"
            ).to_arrow_table()
            (template,) = landed.to_pylist()
            record = json.loads(template["payload"])
            rows = []
            for payload in _variants(record):
                if leave_out and re.search(leave_out, payload):
                    continue
                count += 1
                is_text = isinstance(template["id"], str)
                id_ = f"battery_{count}" if is_text else _FIRST_ID + count
                own = {
                    "payload": payload,
                    "content_hash": f"battery {count}",
                    "_dlt_id": f"{count}",
                }
                rows.append({**template, **own, "id": id_})
            variants = pa.Table.from_pylist(rows, landed.schema)  # noqa: F841
            connection.execute(f"insert into {raw} by name from variants")
            ids = json.dumps([row["id"] for row in rows], separators=(",", ":"))
            # As if all had come with a read of the scope that its last record came with.
            connection.execute(
                "insert into testio_raw.ledger by name"
                " select * replace (? as ids, 'battery' as _dlt_load_id)"
                " from testio_raw.ledger where endpoint = ? order by read_at desc limit 1",
                [ids, endpoint.name],
            )
        connection.execute(
            "insert into testio_raw._dlt_loads by name select * replace ('battery' as load_id)"
            " from testio_raw._dlt_loads order by inserted_at desc limit 1"
        )
    return count
