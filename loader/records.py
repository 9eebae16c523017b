"""From a record of the API to what lands: its key, its canonical JSON, a hash of its content."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from loader.canonical import canonical
from loader.redact import redact

_LARGEST_ID = 2**63 - 1
_TEST_DETAILS = frozenset({"analytics"})
_FEATURE_DETAILS = frozenset({"execution_status", "tester_count", "bugs_found", "bug_ids"})


class BadRecord(Exception):
    """A record that cannot be keyed; the message is the reason given in quarantine."""


@dataclass(frozen=True)
class Record:
    """A record that can land."""

    id: int | str
    value: dict[str, Any]
    """As the API gave it, less credentials."""
    payload: str
    """The same as canonical JSON."""
    content: str
    """The payload less what differs at every read though nothing changed; it tells versions."""


def parse_id(value: Any) -> int | None:
    """Return the id that an integer or a text of digits stands for; None for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 19:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST_ID:
        return value
    return None


def nested_id(record: Any, name: str) -> int | None:
    """Return the id of the object that stands under `name`, such as a bug's test."""
    nested = record.get(name) if isinstance(record, dict) else None
    return parse_id(nested.get("id")) if isinstance(nested, dict) else None


def make_record(value: Any, id_field: str = "id") -> Record:
    """Redact `value` in place and key it by `id_field` (`id` is a number, any other a text).

    Raises:
        BadRecord: if it is no object, or has no usable key.
    """
    redact(value)
    if not isinstance(value, dict):
        raise BadRecord("not an object")
    given = value.get(id_field)
    key = parse_id(given) if id_field == "id" else given if isinstance(given, str) else None
    if key is None or key == "":
        raise BadRecord(f"no {id_field}" if given in (None, "") else f"{id_field} cannot be read")
    payload = canonical(value)
    return Record(key, value, payload, _content(value, payload))


def content_hash(*parts: Any) -> str:
    """Return a hash that differs wherever one of the parts does."""
    text = "\x1f".join(str(part) for part in parts)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _content(value: dict[str, Any], payload: str) -> str:
    """Leave out signatures of attachments, and what the single-test endpoint adds to a test."""
    if "analytics" in value:
        features = value.get("features")
        value = {key: item for key, item in value.items() if key not in _TEST_DETAILS}
        if isinstance(features, list):
            value["features"] = [_without_details(feature) for feature in features]
        payload = canonical(value)
    for url in _attachment_urls(value):
        payload = payload.replace(url, url.partition("?")[0])
    return payload


def _without_details(feature: Any) -> Any:
    if not isinstance(feature, dict):
        return feature
    return {key: item for key, item in feature.items() if key not in _FEATURE_DETAILS}


def _attachment_urls(value: Any, *, inside: bool = False) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _attachment_urls(item, inside=inside)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _attachment_urls(item, inside=inside or key == "attachments")
    elif inside and isinstance(value, str) and "?" in value:
        yield value
