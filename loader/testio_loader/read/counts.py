"""Counts the scopes of a load for the progress display, and the bugs that can be attributed."""

import threading
from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True)
class Attribution:
    """How many of the bugs that a load has read can be attributed to a test feature."""

    bugs: int
    unnamed: int
    """Bugs that name no test feature."""
    unknown: int
    """Bugs whose test feature is in no test that the load has seen."""

    @property
    def attributed(self) -> int:
        """Bugs whose test feature is in a test that the load has seen."""
        return self.bugs - self.unnamed - self.unknown


class Counts:
    """The counts of one load; safe to use from several threads."""

    def __init__(self) -> None:
        self.opened: Counter[str] = Counter()
        """Per endpoint: scopes that this load reads; `put_off` takes back those that can wait."""
        self.closed: Counter[str] = Counter()
        """Per endpoint: scopes that were read, completely or not."""
        # Eight bytes per id: an account has hundreds of thousands of them.
        self._ids_in_tests = array("q")
        self._ids_in_bugs = array("q")
        self._unnamed = 0
        self._lock = threading.Lock()

    def open(self, endpoint: str) -> None:
        """Count a scope to read."""
        with self._lock:
            self.opened[endpoint] += 1

    def close(self, endpoint: str) -> None:
        """Count a scope that was read."""
        with self._lock:
            self.closed[endpoint] += 1

    def put_off(self, endpoint: str) -> None:
        """Uncount a scope that this load does not need to read after all."""
        with self._lock:
            self.opened[endpoint] -= 1

    def unfinished(self) -> str:
        """Return a text that names each endpoint with unread scopes and their number."""
        with self._lock:
            return ", ".join(
                f"{name} ({n:,})" for name, n in sorted((self.opened - self.closed).items())
            )

    def add_test_features(self, test_feature_ids: Iterable[int | None]) -> None:
        """Add the test features of a test."""
        with self._lock:
            self._ids_in_tests.extend(id_ for id_ in test_feature_ids if id_ is not None)

    def add_bugs(self, test_feature_ids: Iterable[int | None]) -> None:
        """Count bugs by the test feature that each one names; None if it names none."""
        with self._lock:
            for id_ in test_feature_ids:
                if id_ is None:
                    self._unnamed += 1
                else:
                    self._ids_in_bugs.append(id_)

    def attribution(self) -> Attribution:
        """Return the attribution of the bugs read so far."""
        in_bugs = pa.array(self._ids_in_bugs, pa.int64())
        in_tests = pa.array(self._ids_in_tests, pa.int64())
        known = pc.sum(pc.is_in(in_bugs, value_set=in_tests)).as_py() or 0
        return Attribution(len(in_bugs) + self._unnamed, self._unnamed, len(in_bugs) - known)
