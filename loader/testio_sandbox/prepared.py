"""A cache of parts of answers, as bytes."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any

import orjson

Key = tuple[object, ...]


class Prepared:
    """Keeps the parts requested last, up to a limit, until the account is edited."""

    def __init__(self, at_most_bytes: int) -> None:
        self._at_most_bytes = at_most_bytes
        self._lock = Lock()
        self._kept: OrderedDict[Key, bytes] = OrderedDict()
        self._size = 0
        self._edits = 0

    def fragment(self, key: Key, make: Callable[[], Any]) -> orjson.Fragment:
        """Return the part with this key, for an answer; create it if it is not cached."""
        return orjson.Fragment(self._get(key, make)[0])

    def record(self, key: Key, make: Callable[[], Any]) -> Any:
        """Return the part as an object, to read its fields."""
        data, made = self._get(key, make)
        return orjson.loads(data) if made is None else made

    def _get(self, key: Key, make: Callable[[], Any]) -> tuple[bytes, Any]:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key], None
            edits = self._edits
        made = make()
        data = orjson.dumps(made)
        with self._lock:
            if edits == self._edits and key not in self._kept:
                self._kept[key] = data
                self._size += len(data)
                while self._size > self._at_most_bytes:
                    self._size -= len(self._kept.popitem(last=False)[1])
        return data, made

    def forget(self) -> None:
        """Empty the cache, as an edit shows in many parts."""
        with self._lock:
            self._kept.clear()
            self._size = 0
            self._edits += 1
