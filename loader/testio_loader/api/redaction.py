"""Credentials are replaced before anything is written.

A test environment carries `username`, `password` and `access` in clear text, and its `url` may
carry user info or tokens. Test environments occur in tests, in bugs and on their own.
"""

import re
from typing import Any

REDACTED = "[redacted]"
_ENVIRONMENT_KEYS = frozenset({"test_environment", "test_environments"})
_CREDENTIAL_KEYS = frozenset({"username", "password", "access"})
_CONTAINERS = (dict, list)  # quicker to ask for than dict | list
_MAX_DEPTH = 100
_MOST_QUOTED = 100
"""Characters."""
_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*://)?(?P<user>.*@)?(?P<rest>[^?#]*)(?P<query>.*)", re.I | re.S
)


def redact(value: Any, *, in_environment: bool = False, depth: int = 0) -> None:
    """Replace, in place, every credential found in `value`.

    Inside a test environment these are the three credential fields and, in every `url`, user info,
    query and fragment (a token there cannot be told from a harmless parameter). A `password` is
    replaced wherever it stands.

    Raises:
        RecursionError: if `value` is nested more deeply than anything that is meant to be read.
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
    """Return a text of unknown origin as one short line of a message.

    Control characters, and those that change the direction of text, are removed.
    """
    line = " ".join(text.split())
    return "".join(filter(str.isprintable, line[:_MOST_QUOTED]))


def without(value: Any, secret: str) -> Any:
    """Return `value` with a secret replaced wherever a text or a key contains it."""
    if isinstance(value, str):
        return value.replace(secret, REDACTED)
    if isinstance(value, list):
        return [without(item, secret) for item in value]
    if isinstance(value, dict):
        return {without(key, secret): without(item, secret) for key, item in value.items()}
    return value


def redact_url(url: str) -> str:
    """Return `url` without user info, query and fragment; what was there is marked as redacted."""
    parts = _URL.fullmatch(url)
    if parts is None:
        return REDACTED
    user = f"{REDACTED}@" if parts["user"] else ""
    query = f"?{REDACTED}" if parts["query"] else ""
    return f"{parts['scheme'] or ''}{user}{parts['rest']}{query}"
