"""Replaces credentials before anything is written.

A test environment has `username`, `password` and `access` in clear text, and its `url` may contain
user info or tokens. Test environments occur in tests, in bugs and on their own.
"""

import re
from typing import Any

REDACTED = "[redacted]"
_ENVIRONMENT_KEYS = frozenset({"test_environment", "test_environments"})
_CREDENTIAL_KEYS = frozenset({"username", "password", "access"})
_CONTAINERS = (dict, list)  # faster in isinstance than dict | list
_MAX_DEPTH = 100
_MAX_QUOTED = 100
"""Characters."""
_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*://)?(?P<user>.*@)?(?P<rest>[^?#]*)(?P<query>.*)", re.I | re.S
)


def redact(value: Any, *, in_environment: bool = False, depth: int = 0) -> None:
    """Replace every credential in `value`, in place.

    Inside a test environment, credentials are `username`, `password`, `access`, and the user info,
    query and fragment of every `url`: a token in a query looks like any other parameter. A
    `password` is replaced everywhere.

    Raises:
        RecursionError: if `value` has more than 100 levels, which no valid answer has.
    """
    if depth > _MAX_DEPTH:
        raise RecursionError
    if isinstance(value, list):
        for item in value:
            if isinstance(item, _CONTAINERS):
                redact(item, in_environment=in_environment, depth=depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, _CONTAINERS) and not (in_environment and key in _CREDENTIAL_KEYS):
                inside = in_environment or key in _ENVIRONMENT_KEYS
                redact(item, in_environment=inside, depth=depth + 1)
            elif not item:
                continue
            elif key == "password" or (in_environment and key in _CREDENTIAL_KEYS):
                value[key] = REDACTED
            elif in_environment and key == "url":
                value[key] = redact_url(str(item))


def quoted(text: str) -> str:
    """Return a text from an unknown source as one short line for a message.

    Control characters, and characters that change the text direction, are removed.
    """
    line = " ".join(text.split())
    return "".join(filter(str.isprintable, line[:_MAX_QUOTED]))


def without(value: Any, secret: str) -> Any:
    """Return `value` with `secret` replaced in every text and key that contains it."""
    if isinstance(value, str):
        return value.replace(secret, REDACTED)
    if isinstance(value, list):
        return [without(item, secret) for item in value]
    if isinstance(value, dict):
        return {without(key, secret): without(item, secret) for key, item in value.items()}
    return value


def redact_url(url: str) -> str:
    """Return `url` with its user info, query and fragment replaced by a mark."""
    parts = _URL.fullmatch(url)
    if parts is None:
        return REDACTED
    user = f"{REDACTED}@" if parts["user"] else ""
    query = f"?{REDACTED}" if parts["query"] else ""
    return f"{parts['scheme'] or ''}{user}{parts['rest']}{query}"
