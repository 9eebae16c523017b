"""Two tests can have the same test feature, and with it the same user story versions."""

from collections import deque
from typing import Any

from test_batches import Api

from testio_loader.api.endpoints import EXECUTIONS
from testio_loader.read.batches import Batches, BatchItem
from testio_loader.read.scope import Scope

_VERSIONS = {1: (10, 11), 2: (11, 12), 3: (13,), 9: (11,)}
"""By test; nobody asks for test 9, which is not in the account any more."""
_EXECUTIONS = [
    {"id": 100 * version + test, "test_cycle": {"id": test}, "version": version}
    for test, versions in _VERSIONS.items()
    for version in versions
]


def _answer(ids: list[int]) -> list[dict[str, Any]]:
    return [execution for execution in _EXECUTIONS if execution["version"] in ids]


def _read(api: Api) -> tuple[dict[int, Scope], dict[int, dict[int, int]], dict[str, int]]:
    """Return the scope of each test, its executions with their versions, and what was recorded."""
    batches = Batches(api, EXECUTIONS)
    scopes = {test: Scope(EXECUTIONS, 1, test_id=test) for test in (1, 2, 3)}
    found: dict[int, dict[int, int]] = {test: {} for test in scopes}
    recorded: dict[str, int] = {}
    for test, scope in scopes.items():
        batches.add(BatchItem(scope, [(version, None) for version in _VERSIONS[test]]))
    waiting: deque[list[BatchItem]] = deque()
    while (batch := batches.take(is_more_to_come=False)) or waiting:
        outcome = batches.read(batch or waiting.popleft())
        batches.done(outcome)
        waiting.extend(outcome.parts)
        for scope, record, columns in outcome.found:
            found[scope.test_id or 0][int(record.id)] = columns["user_story_version_id"]
        for path, body in outcome.answers:
            recorded[path] = len(body["user_story_version_executions"])
    return scopes, found, recorded


def test_an_execution_is_kept_with_the_test_that_it_names() -> None:
    """Issue 15, row 8: a user story version of two tests makes neither of them incomplete."""
    scopes, found, _ = _read(Api(_answer))
    assert found == {
        test: {100 * version + test: version for version in _VERSIONS[test]} for test in scopes
    }
    assert {scope.outcome for scope in scopes.values()} == {"ok"}
    repetition = "other tests have the same user story version"
    assert [scope.remarks for scope in scopes.values()] == [repetition, repetition, None]


def test_what_is_recorded_of_a_shared_version_has_the_executions_of_all_its_tests() -> None:
    """Issue 15, row 8: the tests that share it ask for the same path, and replay the same file."""
    _, _, recorded = _read(Api(_answer, claimed=None))
    assert sorted(recorded.values()) == [1, 1, 1, 3]


def test_a_filter_by_version_that_is_ignored_is_noticed() -> None:
    """Issue 15, row 8: what a version of two tests looks like is not taken for that."""
    scopes, _, _ = _read(Api(lambda ids: list(_EXECUTIONS)))
    outcomes = [scope.outcome for scope in scopes.values()]
    assert outcomes == ["the API returned the same record for several ids of this test"] * 2 + [
        "ok"
    ]
