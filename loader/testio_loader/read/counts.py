"""What a load counts while it reads: scopes for who watches, and how bugs are attributed."""

import threading
from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True)
class Attribution:
    """How the bugs that a load has read are attributed to test features."""

    bugs: int
    unnamed: int
    """Bugs that name no test feature."""
    unknown: int
    """Bugs that name one which no test that the load has met carries."""

    @property
    def attributed(self) -> int:
        """Bugs that name a test feature which a test carries."""
        return self.bugs - self.unnamed - self.unknown


class Counts:
    """The counts of one load, written by several threads."""

    def __init__(self) -> None:
        self.opened: Counter[str] = Counter()
        """By endpoint, how many scopes have been found to read, less those that can wait."""
        self.closed: Counter[str] = Counter()
        """By endpoint, how many of them are read, completely or not."""
        # Eight bytes an id: an account has hundreds of thousands of them.
        self._carried = array("q")
        self._named = array("q")
        self._unnamed = 0
        self._lock = threading.Lock()

    def open(self, endpoint: str) -> None:
        """Count a scope that is to be read."""
        with self._lock:
            self.opened[endpoint] += 1

    def close(self, endpoint: str) -> None:
        """Count a scope that is read."""
        with self._lock:
            self.closed[endpoint] += 1

    def put_off(self, endpoint: str) -> None:
        """Take back a scope that need not be read by this load after all."""
        with self._lock:
            self.opened[endpoint] -= 1

    def unfinished(self) -> str:
        """Return the endpoints with unread scopes, and how many each has."""
        with self._lock:
            return ", ".join(
                f"{name} ({n:,})" for name, n in sorted((self.opened - self.closed).items())
            )

    def add_test_features(self, test_feature_ids: Iterable[int | None]) -> None:
        """Take note of the test features of a test."""
        with self._lock:
            self._carried.extend(id_ for id_ in test_feature_ids if id_ is not None)

    def add_bugs(self, test_feature_ids: Iterable[int | None]) -> None:
        """Take note of the test feature that each bug names."""
        with self._lock:
            for id_ in test_feature_ids:
                if id_ is None:
                    self._unnamed += 1
                else:
                    self._named.append(id_)

    def attribution(self) -> Attribution:
        """Return how the bugs met so far are attributed."""
        named, carried = (pa.array(ids, pa.int64()) for ids in (self._named, self._carried))
        known = pc.sum(pc.is_in(named, value_set=carried)).as_py() or 0
        return Attribution(len(named) + self._unnamed, self._unnamed, len(named) - known)
