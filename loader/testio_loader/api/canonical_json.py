"""Parses JSON, and writes canonical JSON, which every engine reads the same way."""

import contextlib
import json
import math
import re
from typing import Any

import orjson

_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_MAYBE_BEYOND_64_BITS = b"0" * 19
_RUN = re.compile(b"0+")
_NEAR = 10
"""Characters checked on each side of a number; if all are blank, the text is parsed carefully."""
_ESCAPED_NUL = b"\\u0000"
_BACKSLASH = ord("\\")
_SURROGATE = re.compile("[\ud800-\udfff]")


def parse(body: bytes | bytearray) -> tuple[Any, int]:
    """Return the JSON value of `body` and the number of its values that were mended.

    Engines disagree on some values or refuse them, so these are mended: NaN, infinities and
    integers of more than 4,300 digits become null, U+0000 is removed, and lone surrogates become
    U+FFFD. If an object has a key twice, the last value counts, as in every common parser.

    Raises:
        ValueError: if `body` is not JSON.
    """
    if not (_has_nul(body) or _has_long_integer(body)):
        # orjson refuses NaN and lone surrogates, which _parse_carefully mends.
        with contextlib.suppress(orjson.JSONDecodeError, orjson.JSONEncodeError):
            value = orjson.loads(body)
            # The counts differ if an object has a key twice, or white space before a colon.
            if orjson.dumps(value).count(b'":') == body.count(b'":'):
                return value, 0
    return _parse_carefully(body)


def _has_nul(body: bytes | bytearray) -> bool:
    """Return whether `body` has an escaped U+0000; after an escaped backslash, `u0000` is text."""
    at = body.find(_ESCAPED_NUL)
    while at >= 0:
        start = at
        while start and body[start - 1] == _BACKSLASH:
            start -= 1
        if (at - start) % 2 == 0:
            return True
        at = body.find(_ESCAPED_NUL, at + 1)
    return False


def _has_long_integer(body: bytes | bytearray) -> bool:
    """Return whether `body` may have an integer beyond 64 bits; orjson would make it a float."""
    digits = body.translate(_DIGITS)
    at = digits.find(_MAYBE_BEYOND_64_BITS)
    while at >= 0:
        end = next(_RUN.finditer(digits, at)).end()
        before, after = body[max(0, at - _NEAR) : at], body[end : end + _NEAR]
        # With other neighbors, the digits are part of a text or of a number with a fraction.
        if before.rstrip(b"- \t\r\n")[-1:] in b"[:," and after.lstrip()[:1] in b",]}":
            return True
        at = digits.find(_MAYBE_BEYOND_64_BITS, end)
    return False


def canonical(value: Any) -> str:
    """Return `value` as JSON with sorted keys and no white space."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except orjson.JSONEncodeError:  # an integer beyond 64 bits, or deep nesting
        return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _parse_carefully(body: bytes | bytearray) -> tuple[Any, int]:
    mended = 0

    def text(value: str) -> str:
        nonlocal mended
        clean = _SURROGATE.sub("\ufffd", value.replace("\0", ""))
        mended += clean != value
        return clean

    def number(literal: str) -> float | None:
        nonlocal mended
        value = float(literal)
        if math.isfinite(value):
            return value
        mended += 1
        return None

    def integer(literal: str) -> int | float | None:
        try:
            return int(literal)
        except ValueError:  # more digits than Python converts to an integer
            return number(literal)

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal mended
        found = {text(key): mend(value) for key, value in pairs}
        mended += len(pairs) - len(found)
        return found

    def mend(value: Any) -> Any:
        if isinstance(value, str):
            return text(value)
        return [mend(item) for item in value] if isinstance(value, list) else value

    try:
        value = mend(
            json.loads(
                body,
                object_pairs_hook=members,
                parse_int=integer,
                parse_float=number,
                parse_constant=number,
            )
        )
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return value, mended
