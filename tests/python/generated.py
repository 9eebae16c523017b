"""Accounts that nobody would think of: an ordinary one, in which any field may be anything.

An account is drawn as a list of changes to the answers of a small sandbox. `land` lands many of
them as the customers of one warehouse, with their answers as given or in another order.
"""

import contextlib
import copy
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import battery
import pytest
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from testio_loader import clock, source
from testio_loader.api.base import ApiResponse, CallCost, NotFoundError, UnusableAnswerError
from testio_loader.api.canonical_json import canonical, parse
from testio_loader.api.endpoints import ENDPOINTS
from testio_loader.api.envelope import opened
from testio_loader.api.redaction import redact
from testio_loader.customers import Customer
from testio_loader.land import pipeline
from testio_loader.read.crawler import Crawler, NothingReadError
from testio_loader.read.refresh_policy import EarlierLoads, RefreshPolicy
from testio_loader.warehouses.duckdb_file import DuckDbFile
from testio_sandbox import Account, Handler

_NOW = datetime(2026, 11, 2, 6, tzinfo=UTC)
_SHAPES = 6
"""How many ordinary accounts there are to change."""
_ITEM = "*"
"""Stands for the place in a list, in what names a kind of field."""
_CLAIM = "/user_story_version_executions?page=1&per_page=1"
"""Asks only how many executions there are."""
_EMPTY_ANSWER = re.compile(r"page=(?!1(&|$))[0-9]+")

Path_ = tuple[Any, ...]
Body = dict[str, Any]


class Missing:
    """The value of a field that is not there."""

    def __repr__(self) -> str:
        return "Missing"


MISSING = Missing()


@dataclass(frozen=True)
class Change:
    """What is put where: into the fields of a kind, one value after the other."""

    kind: int
    """Of the kinds of field that the account has; counted around."""
    first: int
    """Which field of that kind comes first; counted around."""
    values: list[int]
    """What its fields get from there on, see `Drawn.value`; those that are left keep theirs."""


@dataclass
class Answers:
    """What the API answers, by path."""

    bodies: dict[str, Body] = field(default_factory=dict)

    def keep(self, path: str, body: Any) -> None:
        """Take what a recorder takes."""
        self.bodies[path] = body

    def finish(self, *_: Any) -> None:
        """Take what a recorder takes at the end."""


class InProcess:
    """An account that is asked without HTTP."""

    max_batch = 1
    is_replay = False

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    def content(self, path: str, key: str) -> bytes:
        """Return the body of an answer."""
        way, _, query = path.partition("?")
        answer = self._handler(way, parse_qs(query, keep_blank_values=True))
        if answer.status != 200:
            raise NotFoundError("HTTP 404")
        return answer.data()

    def get(
        self, path: str, keys: Sequence[str], *, is_object: bool = False, **_: bool
    ) -> ApiResponse:
        """See `testio_loader.api.base.Api`."""
        body, mended = parse(self.content(path, keys[0]))
        try:
            redact(body)
        except RecursionError as error:
            raise UnusableAnswerError("nested too deeply") from error
        value, claimed_count = opened(body, keys, is_object)
        self.serve(path, [value] if is_object else value)
        return ApiResponse(value, CallCost(1, 1), mended, claimed_count)

    def serve(self, path: str, records: list[Any]) -> None:
        """Take note of what is given."""

    def now(self) -> datetime:
        """See `testio_loader.api.base.Api`."""
        return _NOW

    def has(self, path: str) -> bool:
        """See `testio_loader.api.base.Api`."""
        return True

    def lacks(self, *_: Any) -> None:
        """See `testio_loader.api.base.Api`."""


class Api(InProcess):
    """Answers by path, as the API would; what it does not know is not found."""

    def __init__(self, answers: Answers) -> None:
        self._bodies = {path: canonical(body).encode() for path, body in answers.bodies.items()}
        self.served: dict[str, list[Any]] = {endpoint.name: [] for endpoint in ENDPOINTS}
        """By endpoint, what has been given as a record."""

    def content(self, path: str, key: str) -> bytes:
        """Return the body of an answer."""
        if path in self._bodies:
            return self._bodies[path]
        if _EMPTY_ANSWER.search(path):
            return canonical({key: []}).encode()
        raise NotFoundError("HTTP 404")

    def serve(self, path: str, records: list[Any]) -> None:
        """Take note of what is given."""
        if path != _CLAIM:
            self.served[_endpoint(path)] += records


_PATHS = [
    (re.compile(re.escape(path).replace("%ID%", "[0-9]+").replace("%ANY%", ".*")), endpoint.name)
    for endpoint in sorted(ENDPOINTS, key=lambda endpoint: -len(endpoint.path))
    for template in (endpoint.path, endpoint.section_path)
    if template
    for path in [re.sub(r"\{ids\}", "%ANY%", template)]
    for path in [re.sub(r"\{\w+\}", "%ID%", path)]
]


def _endpoint(path: str) -> str:
    bare = re.sub(r"&(order|page|per_page)=\w+", "", path)
    return next(name for pattern, name in _PATHS if pattern.fullmatch(bare))


@cache
def ordinary(shape: int) -> Answers:
    """Return the answers of an ordinary account."""
    answers = Answers()
    account = Account(products=2, tests=5, bugs=12, seed=shape + 1, bug_bytes=200)
    for _ in _reader(InProcess(account), 1, answers).read():
        pass
    return answers


def _reader(api: Any, customer_id: int, recorder: Any = None) -> Crawler:
    policy = RefreshPolicy(_NOW, EarlierLoads(), timedelta(days=30), timedelta(days=7))
    return Crawler(api, customer_id, policy, recorder=recorder, max_in_flight=1)


@cache
def kinds(shape: int) -> list[list[Path_]]:
    """Return the fields of an ordinary account: the same field of like records is one kind."""
    found: dict[Path_, list[Path_]] = {}
    for path, body in ordinary(shape).bodies.items():
        for key, value in (body or {}).items():
            if key != "meta" and path != _CLAIM:
                for place in _places(value, (path, key)):
                    kind = (_endpoint(path), *(_ITEM if isinstance(p, int) else p for p in place))
                    found.setdefault((kind[0], *kind[2:]), []).append(place)
    return [found[kind] for kind in sorted(found, key=repr)]


@cache
def record_lists(shape: int) -> list[list[Path_]]:
    """Return the lists that an ordinary account answers with, by endpoint."""
    return [
        places
        for places in kinds(shape)
        if len(places[0]) == 2 and isinstance(_get(ordinary(shape).bodies, places[0]), list)
    ]


def _places(value: Any, at: Path_) -> Iterator[Path_]:
    yield at
    items = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    for key, inner in items:
        yield from _places(inner, (*at, key))


BLANKS = ["", "", " ", " ", "  ", "\t", "\n \r\n", "\u00a0", "\u2003", "\u200b", "\ufeff"]
HUGE = "x" * 70_000
_EXTREME: list[Any] = [
    "0001-01-01T00:00:00Z", "2999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999Z", "1900-01-01T00:00:00Z",
    2**63 - 1, 2**63, -(2**63), -1, 0, 1, 2, 3, "1", "2", 1e308, -1e-308, 0.1, HUGE,
    "unknown", "unattributed", "none", "all", "other", "accepted", "rejected", "archived", "running", "critical",
]  # fmt: skip


LIKELY = [MISSING] * 20 + [None] * 10 + BLANKS * 4 + _EXTREME * 2 + list(battery.values())
"""What has broken something before."""


def _novel() -> SearchStrategy[Any]:
    scalars = st.none() | st.integers() | st.floats() | st.text(max_size=8)
    keys = st.sampled_from(["id", "name", "key", "value", "path", "", "é"])
    nested = st.lists(scalars, max_size=3) | st.dictionaries(keys, scalars, max_size=3)
    return scalars | nested | st.lists(nested, max_size=2)


@dataclass(frozen=True)
class Drawn:
    """A drawn account: an ordinary one, and what is changed in it."""

    shape: int
    changes: list[Change]
    repeats: list[tuple[int, int, int, int]]
    """Records that come twice: in which answer, which, in which other answer, what differs."""
    novel: list[Any]
    """Values that nobody has thought of."""

    def value(self, number: int) -> Any:
        """Return a value that a change puts somewhere."""
        known = len(LIKELY)
        return LIKELY[number] if number < known else self.novel[(number - known) % len(self.novel)]

    def answers(self) -> Answers:
        """Return what the API answers of it."""
        bodies = copy.deepcopy(ordinary(self.shape).bodies)
        fields = kinds(self.shape)
        for change in self.changes:
            places = fields[change.kind % len(fields)]
            for offset, value in enumerate(change.values[: len(places)]):
                _put(bodies, places[(change.first + offset) % len(places)], self.value(value))
        lists = record_lists(self.shape)
        for kind, element, to, value in self.repeats:
            places = lists[kind % len(lists)]
            found = _get(bodies, places[element % len(places)])
            if isinstance(found, list) and found:
                again = copy.deepcopy(found[element % len(found)])
                if isinstance(again, dict) and again:
                    again[sorted(again)[-1 - element % len(again)]] = self.value(value)
                    again = {k: v for k, v in again.items() if v is not MISSING}
                # Which of two products' lists has the test as it is now, nobody can tell.
                target = element if "exploratory_tests" in places[0] else to
                _get(bodies, places[target % len(places)]).append(again)
        return Answers(bodies)


def accounts() -> SearchStrategy[Drawn]:
    """Draw an account in which up to eighty kinds of field are not what they should be."""
    kind, instance = st.integers(0, 2000), st.integers(0, 20)
    value = st.integers(0, len(LIKELY) + len(LIKELY) // 10)
    changes = st.builds(Change, kind, instance, st.lists(value, min_size=1, max_size=12))
    return st.builds(
        Drawn,
        shape=st.integers(0, _SHAPES - 1),
        changes=st.lists(changes, max_size=20) | st.lists(changes, min_size=40, max_size=80),
        repeats=st.lists(st.tuples(kind, instance, instance, value), max_size=6),
        novel=st.lists(_novel(), min_size=1, max_size=6),
    )


def _get(bodies: dict[str, Body], place: Path_) -> Any:
    found: Any = bodies
    for key in place:
        try:
            found = found[key]
        except (KeyError, IndexError, TypeError):
            return None
    return found


def _put(bodies: dict[str, Body], place: Path_, value: Any) -> None:
    parent, key = _get(bodies, place[:-1]), place[-1]
    if isinstance(parent, dict) and key in parent:
        if len(place) == 2:  # what the API answers with is a list or an object, whatever is in it
            value = value if isinstance(value, type(parent[key])) else type(parent[key])()
        if value is MISSING:
            del parent[key]
        else:
            parent[key] = copy.deepcopy(value)
    elif isinstance(parent, list) and isinstance(key, int) and key < len(parent):
        parent[key] = None if value is MISSING else copy.deepcopy(value)


def as_given(answers: Answers) -> Answers:
    """Return the same, as the sandbox has it."""
    return answers


def reordered(answers: Answers) -> Answers:
    """Return the same with records, and keys, the other way round.

    What stands in a list of a record stays in its order, and so do reject reasons: that is content.
    """

    def turned(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: turned(value[key]) for key in reversed(list(value))}
        return [turned(item) for item in value] if isinstance(value, list) else value

    return Answers(
        {
            path: {
                key: turned(value)[::-1]
                if isinstance(value, list) and key != "reject_reasons"
                else turned(value)
                for key, value in body.items()
            }
            if isinstance(body, dict)
            else body
            for path, body in reversed(answers.bodies.items())
        }
    )


@dataclass
class Landed:
    """What has been served to the loads of a warehouse: by customer and endpoint, its records."""

    path: Path
    served: dict[int, dict[str, list[Any]]] = field(default_factory=dict)


def land(drawn: Sequence[Drawn], path: Path, order: Callable[[Answers], Answers]) -> Landed:
    """Land accounts as customers 1, 2, … in one load, each answer put into an order."""
    landed = Landed(path)

    class Everybody:
        """Reads all accounts, where the source reads one."""

        def __init__(self, *_: Any, **__: Any) -> None:
            pass

        def read(self) -> Iterator[Any]:
            for customer_id, account in enumerate(drawn, 1):
                api = Api(order(account.answers()))
                with contextlib.suppress(NothingReadError):
                    yield from _reader(api, customer_id).read()
                landed.served[customer_id] = api.served

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(source, "Crawler", Everybody)
        monkeypatch.setattr(clock, "now", lambda: _NOW)
        pipeline.load(DuckDbFile(path), Customer("everybody", 1, "token"))
    return landed


def described(account: Drawn) -> str:
    """Say what is odd in an account, for whoever has to mend what it breaks."""
    fields = kinds(account.shape)
    lines = [f"shape {account.shape}"]
    for change in account.changes:
        places = fields[change.kind % len(fields)]
        place = places[change.first % len(places)]
        lines.append(f"  from {place} on: {[*map(account.value, change.values)]!r:.300}")
    lists = record_lists(account.shape)
    lines += [
        f"  twice, in {lists[kind % len(lists)][0]}: record {element}, with {account.value(value)!r}"
        for kind, element, _, value in account.repeats
    ]
    return "\n".join(lines)
