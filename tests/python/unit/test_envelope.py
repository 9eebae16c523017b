"""An answer that reports an error holds no records, whatever it lists; nor does one cut short."""

from pathlib import Path
from typing import Any

import orjson
import pytest
import raw
from conftest import Loaded, Run

from testio_loader.api.base import CallError, UnusableAnswerError
from testio_loader.api.client import Client
from testio_loader.api.envelope import opened
from testio_loader.api.recording import RecordedApi
from testio_loader.api.redaction import quoted
from testio_sandbox import TOKEN, Account, Answer, Query, serve
from testio_sandbox.faults.common import Tally

_STEERING = "\x1b[2J\x1b[31m\u202eReject\x07"
REPORTS: list[dict[str, Any]] = [
    {"error": "search backend timed out"},
    {"Error": "timed out"},
    {"error": True},
    {"error": {"code": 504}},
    {"error_code": 504},
    {"errorMessage": "timed out"},
    {"errors": ["timed out"]},
    {"errors": {"base": ["timed out"]}},
    {"message": "Internal error"},
    {"meta": {"record_count": 0, "error": "timed out"}},
    {"success": False},
    {"ok": False},
    {"status": "error"},
    {"status": " Failed"},
    {"status": 504},
]
REPORTS_NONE: list[dict[str, Any]] = [
    {},
    {"error": None, "errors": None, "message": None},
    {"error": "", "errors": [], "message": "  "},
    {"error": {}, "errors": [""], "error_count": 0},
    {"errors": {"base": []}, "error": False},
    {"success": True, "ok": True, "status": "ok"},
    {"status": 200, "meta": {"record_count": 0, "message": ""}},
    {"meta": "error"},
]


@pytest.mark.parametrize("report", REPORTS, ids=str)
def test_an_envelope_that_reports_an_error_is_no_answer(report: dict[str, Any]) -> None:
    """Issue 15, row 11: an empty list beside an error would count as a deletion of everything."""
    for records in ([], [{"id": 1}]):
        with pytest.raises(UnusableAnswerError, match="the answer reports an error: "):
            opened({"bugs": records, **report}, ["bugs"], is_object=False)
    with pytest.raises(UnusableAnswerError, match="the answer reports an error: "):
        opened({"product": {"id": 1}, **report}, ["product"], is_object=True)


@pytest.mark.parametrize("report", REPORTS_NONE, ids=str)
def test_an_envelope_that_reports_no_error_is_an_answer(report: dict[str, Any]) -> None:
    """Issue 15, row 11: an empty report is none."""
    assert opened({"bugs": [], **report}, ["bugs"], is_object=False)[0] == []


def test_a_record_may_have_fields_that_report_an_error_in_an_envelope() -> None:
    """Issue 15, row 11: only the envelope counts, never a record."""
    record = {"id": 1, "message": "It crashed", "error": "E1", "status": "failed", "ok": False}
    assert opened({"bugs": [record]}, ["bugs"], is_object=False)[0] == [record]
    assert opened({"product": record}, ["product"], is_object=True)[0] == record
    assert opened([record], [""], is_object=False)[0] == [record]
    errors = {"errors": [record]}
    assert opened(errors, ["errors"], is_object=False)[0] == [record]


def test_what_an_error_says_is_told_in_one_short_line() -> None:
    with pytest.raises(UnusableAnswerError) as told:
        opened({"bugs": [], "error": "timed\nout " * 99}, ["bugs"], is_object=False)
    assert len(str(told.value)) < 140
    assert "\n" not in str(told.value)


def test_an_answer_with_an_error_beside_its_list_is_asked_for_again(account: Account) -> None:
    """Issue 15, row 11: as after a 5xx, the next try may bring the answer."""
    calls = Tally()

    def at_first(path: str, query: Query) -> Answer:
        if calls.next() < 3:
            return Answer(200, {"products": [], "error": "search backend timed out"})
        return account(path, query)

    with serve(at_first) as sandbox:
        answer = Client(sandbox.url, TOKEN).get("/products", ["products"])
    assert (len(answer.value), answer.cost.tries) == (3, 3)


def test_an_answer_with_an_error_beside_its_list_deletes_nothing(
    account: Account, run: Run, loaded: Path, undisturbed: Loaded
) -> None:
    """Issue 15, row 11: `{"bugs": [], "error": …}` deleted all bugs, with exit status 0."""

    def timed_out(path: str, query: Query) -> Answer:
        if path == "/bugs":
            return Answer(200, {"bugs": [], "error": "search backend timed out"})
        return account(path, query)

    result = run(timed_out)
    assert result.exit_code == 3
    assert "the answer reports an error: error: search backend timed out" in result.output
    landed = raw.read(loaded)
    assert raw.differences(landed, undisturbed.raw) == []
    assert {scope[0] for scope in landed.incomplete} == {"bugs"}
    assert len(landed.incomplete) == 12


def test_a_recorded_answer_with_an_error_is_no_answer(tmp_path: Path) -> None:
    """Issue 15, row 11: the same holds for a recording."""
    (tmp_path / "recorded_at.txt").write_text("2026-03-01T12:00:00+00:00")
    body = {"products": [], "error": "search backend timed out"}
    (tmp_path / "products.json").write_bytes(orjson.dumps(body))
    with pytest.raises(UnusableAnswerError, match="the answer reports an error"):
        RecordedApi(tmp_path).get("/products", ["products"])


@pytest.mark.parametrize("status", [201, 202, 204, 205, 206])
def test_a_status_that_promises_no_whole_answer_is_none(account: Account, status: int) -> None:
    """Issue 15, row 11: what comes with 206 is a part, and an empty body is no empty list."""

    def partial(path: str, query: Query) -> Answer:
        return Answer(status, b"" if status in (204, 205) else {"products": []})

    with serve(partial) as sandbox, pytest.raises(UnusableAnswerError, match=f"HTTP {status}"):
        Client(sandbox.url, TOKEN).get("/products", ["products"])


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b'{"products": []'),
        Answer(200, b'{"products": []}', {"Content-Length": "99", "Connection": "close"}),
        Answer(200, b'{"products": []}', {"Content-Length": "14"}),
        Answer(200, b""),
    ],
    ids=["cut short", "shorter than said", "longer than said", "empty"],
)
def test_a_body_that_is_not_whole_is_no_answer(answer: Answer) -> None:
    """Issue 15, row 11: a length that does not fit is no answer, though the JSON may be whole."""

    def handle(path: str, query: Query) -> Answer:
        return answer

    with serve(handle) as sandbox, pytest.raises(CallError) as failure:
        Client(sandbox.url, TOKEN).get("/products", ["products"])
    assert isinstance(failure.value, UnusableAnswerError)


def test_a_list_shorter_than_its_count_is_incomplete(
    account: Account, run: Run, loaded: Path, undisturbed: Loaded
) -> None:
    """Issue 15, row 11: a list that says that it was cut has not been read."""

    def cut(path: str, query: Query) -> Answer:
        found = account(path, query)
        body = found.json() if found.status == 200 else None
        for key in ("features", "bugs"):
            if isinstance(body, dict) and body.get(key):
                whole = body[key]
                return Answer(200, {key: whole[1:], "meta": {"record_count": len(whole)}})
        return found

    result = run(cut)
    assert result.exit_code == 3
    assert "records came" in result.output
    landed = raw.read(loaded)
    assert {scope[0] for scope in landed.incomplete} == {"features", "bugs"}
    assert raw.differences(landed, undisturbed.raw) == []


@pytest.mark.parametrize("found", [{}, {"error": "timed out"}, {"errors": ["timed out"]}])
def test_an_object_that_says_nothing_is_no_record(found: dict[str, Any]) -> None:
    """It would land as a version of the test that was asked for, without a title or analytics."""
    with pytest.raises(UnusableAnswerError):
        opened({"exploratory_test": found}, ["exploratory_test"], is_object=True)
    whole = found | {"id": 1}
    assert opened({"test": whole}, ["test"], is_object=True)[0] == whole


def test_what_others_say_steers_no_terminal() -> None:
    assert quoted(f"a\n {_STEERING}  b") == "a [2J[31mReject b"
    with pytest.raises(UnusableAnswerError) as failure:
        opened({"bugs": [], "error": _STEERING}, ["bugs"], is_object=False)
    assert str(failure.value).isprintable()
