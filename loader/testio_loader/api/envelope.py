"""Checks the envelope of an answer: its records, their claimed number, and any reported error."""

from collections.abc import Sequence
from typing import Any

from testio_loader.api.base import UnusableAnswerError
from testio_loader.api.redaction import quoted
from testio_loader.api.values import parse_id

_FAILURES = frozenset({"error", "fail", "failed", "failure"})
"""Values of `status` that report an error, as in JSend and similar formats."""


def opened(body: Any, keys: Sequence[str], is_object: bool) -> tuple[Any, int | None]:
    """Return the content of an answer under one of the keys, and its claimed number of records.

    The number is None unless `meta.record_count` gives one. An answer that reports an error is
    rejected even if it has records: a search that timed out also returns an empty list with status
    200, and an empty list would count as a deletion of all records. These members report an error:

    - `error`, `errors`, any other key that begins with `error`, and `message`: with a non-blank
      text, a number other than 0, `true`, or a list or object that contains one of these. Null,
      false, 0, "", [], {} and [""] report no error;
    - `success` and `ok`: with `false`;
    - `status`: with `error`, `fail`, `failed`, `failure` or a number of at least 400.

    Case is ignored. Only the envelope and its `meta` are checked, never a record, because a record
    may have its own `message`. A bare list has no envelope. An object without an id is rejected if
    it is empty or reports an error: it would become the newest version of the record.

    Raises:
        UnusableAnswerError: if the answer reports an error or has no such list or object.
    """
    if isinstance(body, dict):
        _refuse_errors({name: value for name, value in body.items() if name not in keys})
    found = _found(body, keys, is_object)
    if is_object and "id" not in found:
        if not found:
            raise UnusableAnswerError("an empty object")
        _refuse_errors({name: value for name, value in found.items() if name != "status"})
    return found, _claimed_count(body)


def _refuse_errors(envelope: dict[str, Any]) -> None:
    meta = envelope.get("meta")
    for members in (envelope, meta if isinstance(meta, dict) else {}):
        for name, value in members.items():
            if _reports_error(name.lower(), value):
                raise UnusableAnswerError(
                    f"the answer reports an error: {quoted(f'{name}: {value}')}"
                )


def _reports_error(name: str, value: Any) -> bool:
    if name == "message" or name.startswith("error"):
        return _has_content(value)
    if name in ("success", "ok"):
        return value is False
    if name == "status":
        if isinstance(value, str):
            return value.strip().lower() in _FAILURES
        return isinstance(value, int | float) and value >= 400
    return False


def _has_content(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_content, value.values()))
    if isinstance(value, list):
        return any(map(_has_content, value))
    return bool(value.strip() if isinstance(value, str) else value)


def _found(body: Any, keys: Sequence[str], is_object: bool) -> Any:
    """Return the list or object under the first of the keys that has one."""
    expected = dict if is_object else list
    if isinstance(body, dict):
        for key in keys:
            if isinstance(body.get(key), expected):
                return body[key]
    elif "" in keys and isinstance(body, list) and (not body or any(map(_has_id, body))):
        return body
    wanted = " or ".join(repr(key) for key in keys if key)
    raise UnusableAnswerError(f"no {expected.__name__} under {wanted}")


def _has_id(record: Any) -> bool:
    return isinstance(record, dict) and "id" in record


def _claimed_count(body: Any) -> int | None:
    meta = body.get("meta") if isinstance(body, dict) else None
    count = meta.get("record_count") if isinstance(meta, dict) else None
    return parse_id(count)  # same type and range as ids; other values could not land
