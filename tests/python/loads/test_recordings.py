"""Recordings of less than an account: what they lack is missing where they are replayed, too."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import raw
from commands import run as command
from conftest import Loaded, Run
from sandbox_reads import all_products, all_tests

from testio_loader.read import refresh_policy
from testio_sandbox import Account, Answer, Handler, Query
from testio_sandbox.faults import broken_test
from testio_sandbox.faults.common import product_of_list

pytestmark = pytest.mark.slow

RECORDING = Path("archive/default/recording.json")


@pytest.fixture
def replay(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Replay the recording; nobody is asked."""
    monkeypatch.setenv("SOURCES__TESTIO__CUSTOMER_ID", "7")

    def replay(*options: str, status: int = 0) -> str:
        return str(command("load", "--replay", "archive", *options, status=status).stdout)

    return replay


def failing(account: Account) -> Handler:
    """Fail for the list of one product, and for the details, the bugs and the stories of others."""
    first, second, third = all_products(account)
    of_second = [test["id"] for test in all_tests(account) if test["product"]["id"] == second["id"]]

    def answer(path: str, query: Query) -> Answer:
        named = query.get("filter_test_cycle_ids", [""])[0].split(",")
        is_failing = (
            product_of_list(path) == first["id"]
            or path == f"/exploratory_tests/{of_second[0]}"
            or (path == "/bugs" and str(of_second[1]) in named)
            or (path == f"/products/{third['id']}/user_stories")
        )
        return Answer(403) if is_failing else account(path, query)

    return answer


def test_what_a_recording_lacks_is_incomplete_where_it_is_replayed(
    account: Account, run: Run, warehouse: Path, replay: Callable[..., str]
) -> None:
    """Issue 15, row 18: it is named, the rest lands, and the replay ends with 3."""
    assert run(failing(account), "--record", "archive").exit_code == 3
    recorded = raw.read(warehouse)
    assert {scope[0] for scope in recorded.incomplete} == {
        *("tests", "test_details", "bugs", "user_stories")
    }
    warehouse.unlink()
    printed = replay(status=3)
    landed = raw.read(warehouse)
    assert landed.incomplete.keys() == recorded.incomplete.keys()
    for (endpoint, *_), outcome in landed.incomplete.items():
        assert "HTTP 403" in outcome
        assert f"incomplete: {endpoint} of " in printed
    assert raw.differences(landed, recorded) == []
    assert landed.present == recorded.present


def test_a_test_that_its_list_lacked_is_replayed_as_well(
    account: Account, run: Run, loaded: Path, undisturbed: Loaded, replay: Callable[..., str]
) -> None:
    """Issue 15, row 18: it was recorded by itself, as the warehouse knew it."""
    assert run(broken_test(account, position=3), "--record", "archive").exit_code == 3
    recorded = raw.read(loaded)
    loaded.unlink()
    replay(status=3)
    landed = raw.read(loaded)
    assert landed.incomplete.keys() == recorded.incomplete.keys()
    for name in ("tests", "bugs", "executions"):
        assert raw.ids(landed, name) == raw.ids(undisturbed.raw, name)


def test_a_recording_of_a_part_is_replayed_as_that_part(
    account: Account, run: Run, warehouse: Path, replay: Callable[..., str]
) -> None:
    """Issue 15, row 18: nothing else is missing."""
    product, test = all_products(account)[1]["id"], all_tests(account)[0]["id"]
    for option, id_ in (("--product", product), ("--test", test)):
        assert run(account, option, str(id_), "--record", "archive").exit_code == 0
        recorded = raw.read(warehouse)
        warehouse.unlink()
        replay()
        landed = raw.read(warehouse)
        assert raw.differences(landed, recorded) == []
        assert landed.ledger == recorded.ledger
        warehouse.unlink()
        Path("archive").rename(f"archive of {option}")


def test_an_unfinished_recording_lacks_whatever_it_does_not_have(
    account: Account, run: Run, warehouse: Path, replay: Callable[..., str]
) -> None:
    """Issue 15, row 18: the load that recorded it was killed."""
    assert run(account, "--record", "archive").exit_code == 0
    test = all_tests(account)[0]["id"]
    Path(f"archive/default/bugs/filter_test_cycle_ids={test}.json").unlink()
    warehouse.unlink()
    RECORDING.write_text(json.dumps({"product_ids": [], "test_ids": []}))
    assert f"incomplete: bugs of test {test}: not in the archive" in replay(status=3)
    assert raw.read(warehouse).incomplete == {("bugs", None, test): "not in the archive"}


def test_a_recording_of_an_earlier_version_is_replayed_as_before(
    account: Account, run: Run, warehouse: Path, undisturbed: Loaded, replay: Callable[..., str]
) -> None:
    """Issue 15, row 18: it does not say what it lacks."""
    assert run(account, "--record", "archive").exit_code == 0
    warehouse.unlink()
    RECORDING.unlink()
    replay()
    assert raw.differences(raw.read(warehouse), undisturbed.raw) == []
    RECORDING.write_text("{")
    assert (
        "recording.json cannot be read" in command("load", "--replay", "archive", status=1).stderr
    )


def test_a_recording_of_what_has_changed_is_complete(
    account: Account,
    run: Run,
    loaded: Path,
    monkeypatch: pytest.MonkeyPatch,
    replay: Callable[..., str],
) -> None:
    """Issue 15, row 18: settled tests were not read, in an account of more than a few."""
    monkeypatch.setattr(refresh_policy, "_SMALL_ACCOUNT", 0)
    monkeypatch.setenv("SOURCES__TESTIO__SETTLING_DAYS", "0")
    assert run(account, "--record", "archive").exit_code == 0
    recorded = {path.stem for path in Path("archive/default/exploratory_tests").glob("*")}
    assert 0 < len(recorded) < 12
    replay()
    assert raw.read(loaded).incomplete == {}
