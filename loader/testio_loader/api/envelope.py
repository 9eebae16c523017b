"""What an answer's envelope says: the records, how many there are, or that something went wrong."""

from collections.abc import Sequence
from typing import Any

from testio_loader.api.base import UnusableAnswerError
from testio_loader.api.redaction import quoted
from testio_loader.api.values import parse_id

_FAILURES = frozenset({"error", "fail", "failed", "failure"})
"""Values of `status` that deny the answer, as JSend and its kin write them."""


def opened(body: Any, keys: Sequence[str], is_object: bool) -> tuple[Any, int | None]:
    """Return what an answer holds under one of the keys, and the count that it claims.

    The count is None unless `meta.record_count` gives one. An answer that reports an error is no
    answer, whatever it holds: a search that timed out also returns an empty list with status 200,
    and an empty list would count as a deletion of all records. These members report an error:

    - `error` and `errors`, any other key that begins with `error`, and `message`: with a text that
      is not blank, a number other than 0, `true`, or a list or object that contains one of these.
      Null, false, 0, "", [], {} and [""] report none;
    - `success` and `ok`: with `false`;
    - `status`: with `error`, `fail`, `failed`, `failure` or a number from 400.

    Upper and lower case are the same. Only the envelope and its `meta` are looked at, never a
    record: a record may have a `message` of its own. A bare list has no envelope. An object without
    an id is no record if it is empty or has an error: it would land as all that is known.

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
        return _says_something(value)
    if name in ("success", "ok"):
        return value is False
    if name == "status":
        if isinstance(value, str):
            return value.strip().lower() in _FAILURES
        return isinstance(value, int | float) and value >= 400
    return False


def _says_something(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_says_something, value.values()))
    if isinstance(value, list):
        return any(map(_says_something, value))
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
    return parse_id(count)  # counts have the bounds of ids; anything else could not land
