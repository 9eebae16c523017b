"""Turns a record of the API into what lands: its id, canonical JSON and content.

`scope.py` makes the row of it, with its `record_key` and content hash.
"""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from testio_loader.api.canonical_json import canonical
from testio_loader.api.values import parse_id, record_id

_CONTAINERS = (dict, list)  # isinstance is faster with it than with dict | list
_SHOWN = 10_000
"""Characters that are kept of a record that is too large to land."""


class BadRecordError(Exception):
    """A record without a usable key; the message is its reason in quarantine."""


@dataclass(frozen=True)
class Record:
    """A record that can land."""

    id: int | str
    value: dict[str, Any]
    """As the API returned it, without credentials, its values mended."""
    payload: str
    """The value as canonical JSON."""
    content: str
    """The payload without parts that make no version; a new content is a new version."""


def make_record(
    value: Any,
    id_field: str = "id",
    default_id: int | None = None,
    *,
    without: Collection[str] = (),
) -> Record:
    """Return a record with its key from `id_field` (`id` is a number, any other field a text).

    A record without that field gets `default_id`. A change of the keys in `without` is no version.

    Raises:
        BadRecordError: if it is not an object, or has no usable key.
    """
    if not isinstance(value, dict):
        raise BadRecordError("not an object")
    given = value.get(id_field, default_id)
    key = parse_id(given) if id_field == "id" else given if isinstance(given, str) else None
    if key is None or (isinstance(key, str) and not key.strip()):
        blank = given is None or (isinstance(given, str) and not given.strip())
        raise BadRecordError(f"no {id_field}" if blank else f"{id_field} cannot be read")
    payload = canonical(value)
    return Record(key, value, payload, _content(value, payload, without))


def is_larger(text: str, max_bytes: int) -> bool:
    """Return whether a text takes more than `max_bytes` in UTF-8."""
    # A character takes 1 to 4 bytes; most texts are too short to need encoding.
    return len(text) > max_bytes or (4 * len(text) > max_bytes < len(text.encode()))


def abridged(value: Any, max_bytes: int) -> str:
    """Return the JSON that the quarantine keeps of a record: all of it, or a summary.

    The summary of a larger one has its id, the size of each member in bytes, and its beginning.
    """
    text = canonical(value)
    if not is_larger(text, max_bytes):
        return text
    members = value.items() if isinstance(value, dict) else ()
    return canonical(
        {
            "id": record_id(value),
            "bytes": len(text.encode()),
            "bytes_by_member": {
                key[:_SHOWN]: len(canonical(member).encode()) for key, member in members
            },
            "beginning": text[:_SHOWN],
        }
    )


def content_hash(*parts: Any) -> str:
    """Return a hash of the parts; it differs if one of them does."""
    text = "\x1f".join(str(part) for part in parts)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def hash_with_results(record: Record) -> str:
    """Return a hash of a record that includes the keys that make no version."""
    return content_hash(_content(record.value, record.payload, ()))


def _content(value: dict[str, Any], payload: str, without: Collection[str]) -> str:
    """Return the payload without attachment signatures and the keys in `without`."""
    if any(f'"{key}":' in payload for key in without):
        payload = canonical(_pruned(value, without))
    if count := payload.count('"attachments":'):
        own = value.get("attachments")
        # If there are no others than its own, the rest of the record need not be searched.
        is_only = count == 1 and isinstance(own, _CONTAINERS)
        urls = _attachment_urls(own, inside=True) if is_only else _attachment_urls(value)
        # Longest first: one URL may be the beginning of another, and keys have any order.
        for url in sorted(urls, key=len, reverse=True):
            payload = payload.replace(url, url.partition("?")[0])
    return payload


def _pruned(value: Any, without: Collection[str]) -> Any:
    if isinstance(value, list):
        return [_pruned(item, without) for item in value]
    if isinstance(value, dict):
        return {key: _pruned(item, without) for key, item in value.items() if key not in without}
    return value


def _attachment_urls(value: Any, *, inside: bool = False) -> Iterator[str]:
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(item, _CONTAINERS):
            if item:
                yield from _attachment_urls(item, inside=inside or key == "attachments")
        elif (inside or key == "attachments") and isinstance(item, str) and "?" in item:
            yield item
