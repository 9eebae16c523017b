"""Whatever goes wrong between loader and API, a load loses nothing and says what it did not read.

What a load has landed is compared, record for record, with what one undisturbed load lands.
"""

import json
import re
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import raw
from conftest import Loaded, Run, load_undisturbed, small_account
from sandbox_reads import all_products, all_tests, section_ids

from testio_loader.api.base import CallError, ReadingStoppedError
from testio_loader.api.client import Client, _Call
from testio_loader.read.crawler import Crawler
from testio_loader.read.refresh_policy import EarlierLoads, RefreshPolicy
from testio_sandbox import TOKEN, Account, Answer, Handler, Query, serve
from testio_sandbox.faults import (
    GARBAGE,
    HOSTILE,
    HOSTILE_IDS,
    STRAY_ID,
    broken_test,
    down,
    flaky,
    forbidden,
    garbled,
    garbled_for_good,
    growing,
    hanging,
    hostile_records,
    overlapping_pages,
    page_ignored,
    rate_limited,
    rate_limited_silently,
    rate_limited_until,
    revoked,
    shifting,
    slow_for_many,
    small_pages,
    stray_bug,
)
from testio_sandbox.faults.common import Mishaps, Tally
from testio_sandbox.fresh import new_bug, new_test

pytestmark = pytest.mark.slow

Rows = list[tuple[Any, ...]]
Select = Callable[[str], Rows]


def assert_all_landed(warehouse: Path, expected: raw.Raw) -> None:
    landed = raw.read(warehouse)
    assert raw.differences(landed, expected) == []
    assert landed.incomplete == {}
    assert_present(landed, expected)


def assert_present(given: raw.Raw, expected: raw.Raw) -> None:
    """Of what there is now, as much was seen."""
    assert {scope: given.present.get(scope) for scope in expected.present} == expected.present


def assert_only_more(more: raw.Raw, less: raw.Raw, count: int | None = None) -> None:
    lines = raw.differences(more, less)
    assert [line for line in lines if not line.endswith(": +1")] == []
    assert count is None or len(lines) == count


def payloads(given: raw.Raw) -> set[raw.Row]:
    return {(name, row[1], row[-2]) for name, rows in given.current.items() for row in rows}


# The rate limit


@pytest.mark.parametrize("fault", [rate_limited, rate_limited_until, rate_limited_silently])
def test_a_refused_call_waits_as_it_is_told_and_nothing_is_lost(
    fault: Callable[..., Handler], account: Account, run: Run, warehouse: Path, undisturbed: Loaded
) -> None:
    started = time.monotonic()
    assert run(fault(account, every=20)).exit_code == 0
    if fault is rate_limited:
        assert time.monotonic() - started > 2  # told to wait a second twice at the least
    assert_all_landed(warehouse, undisturbed.raw)


def test_all_calls_share_the_wait(account: Account) -> None:
    arrived: list[float] = []

    def once_refused(path: str, query: Query) -> Answer:
        arrived.append(time.monotonic())
        if len(arrived) == 1:
            return Answer(429, {}, {"Retry-After": "1"})
        return account(path, query)

    with serve(once_refused) as sandbox:
        client = Client(sandbox.url, TOKEN)
        client.get("/products", ["products"])
        assert arrived[1] - arrived[0] > 0.99
        client._pause(_Call("/products", ()), "1")
        client.get("/bugs/reject_reasons", ["reject_reasons"])
    assert arrived[2] - arrived[1] > 0.9


def test_a_wait_that_grows_while_others_wait_holds_them_as_well(
    account: Account,
) -> None:
    arrived: list[float] = []

    def noted(path: str, query: Query) -> Answer:
        arrived.append(time.monotonic())
        return account(path, query)

    with serve(noted) as sandbox, ThreadPoolExecutor(1) as pool:
        client = Client(sandbox.url, TOKEN)
        client._pause(_Call("/products", ()), "1")
        waiting = pool.submit(client.get, "/products", ["products"])
        time.sleep(0.5)
        started = time.monotonic()
        client._pause(_Call("/products", ()), "1")
        waiting.result()
    assert arrived[0] - started > 0.99


@pytest.mark.parametrize(
    "told",
    [
        "86400",
        "9" * 5000,
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Fri, 31 Dec 99999 23:59:59 GMT",
        "soon",
        "",
        "-1",
        None,
    ],
)
def test_no_wait_is_longer_than_the_longest_delay(
    told: str | None, monkeypatch: pytest.MonkeyPatch, account: Account
) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_MAX_RETRY_DELAY", "0.1")
    refusals = iter([Answer(429, {}, {} if told is None else {"Retry-After": told})])
    with serve(lambda path, query: next(refusals, None) or account(path, query)) as sandbox:
        assert Client(sandbox.url, TOKEN).get("/products", ["products"]).cost.tries == 2


def test_a_rate_limit_without_end_is_a_failed_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_MAX_RETRY_DELAY", "0.001")
    with (
        serve(lambda path, query: Answer(429)) as sandbox,
        pytest.raises(CallError, match="429") as failure,
    ):
        Client(sandbox.url, TOKEN).get("/products", ["products"])
    assert not isinstance(failure.value, ReadingStoppedError)


# What comes and goes


@pytest.mark.parametrize(
    "fault",
    [partial(flaky, share=0.1), lambda handler: flaky(garbled(handler, share=0.2), share=0.2)],
    ids=["errors", "errors and garbage"],
)
def test_calls_that_fail_now_and_then_lose_nothing(
    fault: Callable[[Handler], Handler],
    account: Account,
    run: Run,
    warehouse: Path,
    undisturbed: Loaded,
    select: Select,
) -> None:
    assert run(fault(account)).exit_code == 0
    assert_all_landed(warehouse, undisturbed.raw)
    (tries,) = select("select sum(tries) - sum(requests) from testio_raw.ledger")[0]
    assert tries > 0


def test_answers_that_hang_lose_nothing(
    monkeypatch: pytest.MonkeyPatch,
    account: Account,
    run: Run,
    warehouse: Path,
    undisturbed: Loaded,
) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_TIMEOUT", "1")
    assert run(hanging(account, seconds=1.5, share=0.1)).exit_code == 0
    assert_all_landed(warehouse, undisturbed.raw)


def test_pauses_between_tries_grow_and_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "1")
    slept: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", slept.append)
    with serve(lambda path, query: Answer(503)) as sandbox:
        client = Client(sandbox.url, TOKEN)
        for path in ("/products", "/bugs/reject_reasons"):
            with pytest.raises(CallError, match="503"):
                client.get(path, ["any"])
    pauses = [seconds for seconds in slept if seconds > 0]
    first, second = pauses[:4], pauses[4:]
    assert len(first) == len(second) == 4
    assert first == sorted(first)
    assert set(first).isdisjoint(second)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_fails_whenever_the_same_is_read(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a warehouse, which makes it quick: what one walk over the account yields."""
    account, garbage = small_account(), list(GARBAGE.values())
    mishaps = Mishaps(f"seed {seed}", share=0.1 * (1 + seed % 4))

    def failing(path: str, query: Query) -> Answer:
        roll, found = mishaps.roll(path, query), account(path, query)
        if roll is None:
            return found
        if roll % 3 == 0:
            raise ConnectionError
        return Answer(503) if roll % 3 == 1 else garbage[roll % len(garbage)](found)

    monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "0.001")
    assert walked(failing) == walked(account)


def walked(handler: Handler) -> Counter[str]:
    with serve(handler) as sandbox:
        client = Client(sandbox.url, TOKEN)
        policy = RefreshPolicy(client.now(), EarlierLoads(), timedelta(30), timedelta(7))
        return Counter(
            re.sub("signature=[0-9]+", "", str(row | {"loaded_at": None}))
            for landing in Crawler(client, 1, policy).read()
            if landing.table not in ("ledger", "quarantine")
            for row in landing.rows
        )


# What fails for good


def test_one_broken_test_costs_no_other_and_is_tried_again(
    account: Account, run: Run, warehouse: Path, undisturbed: Loaded
) -> None:
    result = run(broken_test(account, position=3))
    assert result.exit_code == 3
    assert "position 3: HTTP 500" in result.output
    landed = raw.read(warehouse)
    (scope, outcome), *others = landed.incomplete.items()
    assert others == []
    assert scope[0] == "tests"
    assert outcome == "position 3: HTTP 500"
    missing = raw.ids(undisturbed.raw, "tests") - raw.ids(landed, "tests")
    assert len(missing) == 1
    assert raw.differences(landed, undisturbed.raw) != []
    assert not [d for d in raw.differences(landed, undisturbed.raw) if d.endswith("+1")]
    assert run(broken_test(account, position=3)).exit_code == 3
    assert run(account).exit_code == 0
    assert_all_landed(warehouse, undisturbed.raw)


def test_a_test_that_breaks_later_is_still_followed_by_its_id(
    account: Account, run: Run, loaded: Path
) -> None:
    product = all_products(account)[0]["id"]
    broken = [test["id"] for test in all_tests(account) if test["product"]["id"] == product][2]
    account.change("tests", broken, goal="Another goal")
    assert run(broken_test(account, position=3)).exit_code == 3
    goals = [row for row in raw.read(loaded).current["tests"] if row[1] == broken]
    assert "Another goal" in str(goals)


def test_an_answer_that_is_too_slow_is_asked_for_in_parts(
    account: Account, run: Run, warehouse: Path, undisturbed: Loaded
) -> None:
    assert run(slow_for_many(account, more_than=1)).exit_code == 0
    assert_all_landed(warehouse, undisturbed.raw)


def test_halving_does_not_pass_for_an_api_that_is_down(tmp_path: Path, run: Run) -> None:
    """Fifty tests take sixty-three calls that fail in a row until single tests are asked for."""
    account = Account(products=1, tests=52, bugs=100)
    expected = load_undisturbed(account, tmp_path / "undisturbed.duckdb")
    assert run(slow_for_many(account, more_than=1)).exit_code == 0
    assert_all_landed(tmp_path / "warehouse.duckdb", expected.raw)


def victims(account: Account) -> tuple[Any, Any]:
    """A product whose lists are to fail, and a test case of another one."""
    tests = [test for test in all_tests(account) if test["testing_type"] is None]
    product = next(p for p in all_products(account) if p["id"] != tests[0]["product"]["id"])
    return product, tests[0]


def garbled_scopes(account: Account, kind: str) -> Handler:
    """Garble one scope of each endpoint for good, however it is asked for."""
    product, test = victims(account)
    own = f"/products/{product['id']}/"
    case = f"/products/{test['product']['id']}/test_case_tests/{test['id']}"
    versions = {
        str(story["user_story_version_id"])
        for feature in asked(account, f"/exploratory_tests/{test['id']}")["features"]
        for story in feature.get("user_stories") or []
    }

    def is_garbled(path: str, query: Query) -> bool:
        named = {
            id_ for value in query.get("filter_test_cycle_ids", []) for id_ in value.split(",")
        }
        return (
            path.startswith(own)
            or query.get("product_id") == [str(product["id"])]
            or path in (f"/exploratory_tests/{test['id']}", case, f"{case}/results")
            or str(test["id"]) in named
            or not versions.isdisjoint(query.get("user_story_version_ids[]", []))
        )

    def answer(path: str, query: Query) -> Answer:
        found = account(path, query)
        return GARBAGE[kind](found) if is_garbled(path, query) and found.status == 200 else found

    return answer


def asked(account: Account, path: str) -> Any:
    return account(path, {"includes[]": ["user_stories"]}).json()["exploratory_test"]


@pytest.mark.parametrize("kind", GARBAGE)
def test_garbage_is_an_incomplete_scope_and_never_no_rows(
    kind: str, account: Account, run: Run, loaded: Path, undisturbed: Loaded
) -> None:
    product, test = victims(account)
    result = run(garbled_scopes(account, kind))
    assert result.exit_code == 3
    landed = raw.read(loaded)
    assert raw.differences(landed, undisturbed.raw) == []
    of_product = (
        "features",
        "test_environments",
        "test_templates",
        "tests",
        "user_stories",
    )
    of_test = ("bugs", "executions", "test_case_results", "test_case_tests", "test_details")
    assert landed.incomplete.keys() == {
        *((endpoint, product["id"], None) for endpoint in of_product),
        *((endpoint, None, test["id"]) for endpoint in of_test),
    }
    assert run(account).exit_code == 0
    assert_all_landed(loaded, undisturbed.raw)


@pytest.mark.parametrize("kind", ["other_key", "list"])
def test_garbage_for_the_list_of_products_takes_nothing_away(
    kind: str, account: Account, run: Run, loaded: Path, undisturbed: Loaded
) -> None:
    result = run(garbled_for_good(account, path="/products", kind=kind))
    assert result.exit_code == 3
    landed = raw.read(loaded)
    assert raw.differences(landed, undisturbed.raw) == []
    assert landed.incomplete.keys() == {("products", None, None)}


# Pages


def paged(handler: Handler) -> Handler:
    return small_pages(handler, at_most=2)


@pytest.mark.parametrize(
    "fault",
    [paged, lambda account: paged(overlapping_pages(account))],
    ids=["shorter than asked for", "overlapping"],
)
def test_pages_may_be_of_any_kind(
    fault: Callable[[Handler], Handler],
    account: Account,
    run: Run,
    warehouse: Path,
    undisturbed: Loaded,
) -> None:
    assert run(fault(account)).exit_code == 0
    assert_all_landed(warehouse, undisturbed.raw)


@pytest.mark.parametrize("at_most", [30, 100])
def test_the_same_page_again_ends_the_list_and_is_said(
    at_most: int, run: Run, warehouse: Path
) -> None:
    account = Account(products=1, tests=40, bugs=10)
    expected = load_undisturbed(account, warehouse).raw
    result = run(small_pages(page_ignored(account), at_most=at_most))
    assert result.exit_code == 3
    assert "the first page again" in result.output
    landed = raw.read(warehouse)
    assert raw.differences(landed, expected) == []
    assert {scope[0] for scope in landed.incomplete} == {"tests"}


def test_a_list_that_gets_shorter_while_it_is_read_hides_nothing(
    account: Account, run: Run, warehouse: Path, tmp_path: Path
) -> None:
    before = {test["id"] for test in all_tests(account)}
    assert run(paged(shifting(account))).exit_code == 0
    landed = raw.read(warehouse)
    assert len(before) - len(all_tests(account)) == 1
    assert raw.ids(landed, "tests") == before  # the one that is gone was there when it was read
    expected = load_undisturbed(account, tmp_path / "undisturbed.duckdb").raw
    assert [line for line in raw.differences(landed, expected) if ": -" in line] == []
    assert raw.doubled(landed) == []
    assert run(account).exit_code == 0
    assert_present(raw.read(warehouse), expected)


def test_a_list_that_grows_while_it_is_read_doubles_and_hides_nothing(
    account: Account, run: Run, warehouse: Path, tmp_path: Path
) -> None:
    assert run(paged(growing(account))).exit_code == 0
    expected = load_undisturbed(account, tmp_path / "undisturbed.duckdb").raw
    assert len(raw.ids(expected, "tests")) == 13
    assert_all_landed(warehouse, expected)


@pytest.mark.parametrize("place", [0, 2, 99], ids=["first", "in between", "last"])
def test_a_new_test_is_found_anywhere_in_the_list(
    place: int, account: Account, run: Run, loaded: Path, tmp_path: Path
) -> None:
    product = all_products(account)[0]["id"]
    test = new_test(account, product, "New", status="running")
    account.add("tests", test)
    account.add("bugs", new_bug(test, 0))

    def moved(path: str, query: Query) -> Answer:
        found = account(path, query)
        if path != f"/products/{product}/exploratory_tests" or query["page"] != ["1"]:
            return found
        first, *others = found.json()["exploratory_tests"]
        return Answer(200, {"exploratory_tests": [*others[:place], first, *others[place:]]})

    assert run(moved).exit_code == 0
    assert_all_landed(loaded, load_undisturbed(account, tmp_path / "undisturbed.duckdb").raw)


def test_a_broken_test_on_a_page_that_is_cut_short_hides_no_other(
    account: Account, run: Run, warehouse: Path, undisturbed: Loaded
) -> None:
    assert run(small_pages(broken_test(account, position=3), at_most=2)).exit_code == 3
    landed = raw.read(warehouse)
    assert len(raw.ids(undisturbed.raw, "tests") - raw.ids(landed, "tests")) == 1


# Records


def test_of_hostile_records_the_good_part_lands(
    account: Account, run: Run, warehouse: Path, undisturbed: Loaded, select: Select
) -> None:
    assert run(hostile_records(account)).exit_code == 3
    landed = raw.read(warehouse)
    assert raw.ids(landed, "bugs") - raw.ids(undisturbed.raw, "bugs") == set(HOSTILE_IDS.values())
    assert_only_more(landed, undisturbed.raw, len(HOSTILE_IDS))
    assert sorted(row[3] for row in landed.quarantine.elements()) == [
        *["id cannot be read"] * 2,
        *["no id"] * 2,
        *["not an object"] * 2,
    ]
    assert len(HOSTILE) == len(HOSTILE_IDS) + 6
    assert select("select count(*) from testio_raw.bugs where not json_valid(payload)") == [(0,)]
    payloads = {
        name: select(f"select payload from testio_raw.bugs where id = {id_}")[0][0]
        for name, id_ in HOSTILE_IDS.items()
    }
    assert '"external_idx":123456789012345678901234567890' in payloads["huge_number"]
    assert '"external_idx":null' in payloads["not_a_number"]
    assert "Half of a pair: \ufffd, alone" in payloads["half_a_pair"]
    assert "Beforeafter" in payloads["nul_character"]
    assert payloads["keys_that_differ_in_case"].count("severity") == 1
    assert payloads["keys_that_differ_in_case"].count("SEVERITY") == 1
    assert len(payloads["long_text"]) > 60_000
    assert select("select sum(mended_count) from testio_raw.ledger") == [(3,)]


ODD: list[Any] = [None, 17, "text", [], {}, {"id": None}, {"id": "abc"}, {"id": 1.5}, {"id": True}]


def test_odd_records_of_any_endpoint_cost_no_other(
    account: Account, run: Run, loaded: Path, undisturbed: Loaded
) -> None:
    def odd(path: str, query: Query) -> Answer:
        found = account(path, query)
        if found.status != 200 or query.get("page", ["1"]) != ["1"]:
            return found
        body = found.json()
        lists = [body] if isinstance(body, list) else body.values()
        for records in lists:
            if isinstance(records, list):
                records += ODD if isinstance(body, dict) else [{"id": None}] * bool(records)
        return Answer(200, body)

    for _ in range(2):
        assert run(odd).exit_code == 3
        landed = raw.read(loaded)
        assert raw.differences(landed, undisturbed.raw) == []
        assert_present(landed, undisturbed.raw)
    quarantined = {row[0] for row in landed.quarantine}
    assert quarantined >= {"products", "features", "tests", "bugs", "executions", "user_stories"}


def test_a_feature_without_a_key_hides_no_change_of_another(
    account: Account, run: Run, loaded: Path, select: Select
) -> None:
    feature = account("/bugs", {}).json()["bugs"][0]["feature"]["id"]
    product = select(f"select product_id from testio_raw.features where id = {feature}")[0][0]
    account.add("features", {"title": "no id"}, parent=product)
    account.change("features", feature, title="Another title")
    assert run(account).exit_code == 3
    (versions,) = select(
        f"select count(*) from testio_raw.features where id = {feature}"
        " and payload like '%Another title%'"
    )
    assert versions == (1,)


def test_odd_fields_of_products_and_tests_cost_only_what_sections_have(
    account: Account, run: Run, loaded: Path
) -> None:
    """What the loader itself looks at is of another type; unreadable sections may have more."""
    tests = [test["id"] for test in all_tests(account)]
    odd: list[dict[str, Any]] = [
        {"status": ["archived"], "end_at": 5, "features": {"id": 1}},
        {"status": {"is": "archived"}, "end_at": "9999-12-31T23:59:59-12:00", "features": None},
        {"status": "archived", "end_at": "0001-01-01T00:00:00+12:00", "features": [None, 1, []]},
        {"status": "archived", "end_at": "99999-01-01T00:00:00Z", "testing_type": {}},
        {"product": 3, "features": [{"user_stories": {}}, {"user_stories": [None, "", 7, {}]}]},
        {"features": [{"user_stories": [{"user_story_version_id": "x", "id": -1}]}]},
    ]
    for test, fields in zip(tests, odd, strict=False):
        account.change("tests", test, **fields)

    def odd_product(path: str, query: Query) -> Answer:
        body = account(path, query).json()
        if path == "/products":
            body["products"][2] |= {"sections": {"id": 1}, "sections_with_default": [None, {}]}
        return Answer(200, body)

    for _ in range(2):
        result = run(odd_product)
        assert result.exit_code == 3, result.output
    landed = raw.read(loaded)
    assert {endpoint for endpoint, *_ in landed.incomplete} == {"features", "user_stories"}
    assert raw.ids(landed, "tests") == set(tests)


def test_what_is_nested_without_measure_is_a_failed_call(
    account: Account, run: Run, loaded: Path, undisturbed: Loaded
) -> None:
    def deep(path: str, query: Query) -> Answer:
        found = account(path, query)
        if path != "/bugs/reject_reasons":
            return found
        return Answer(200, b'{"reject_reasons":' + b"[" * 150 + b"]" * 150 + b"}")

    assert run(deep).exit_code == 3
    landed = raw.read(loaded)
    assert landed.incomplete == {("reject_reasons", None, None): "nested too deeply"}
    assert raw.differences(landed, undisturbed.raw) == []


def test_a_bug_that_names_no_test_lands_with_the_test_that_was_asked_for(
    account: Account, run: Run, warehouse: Path, undisturbed: Loaded, select: Select
) -> None:
    assert run(stray_bug(account)).exit_code == 0
    landed = raw.read(warehouse)
    assert_only_more(landed, undisturbed.raw, 1)
    (stray_of,) = [
        test
        for (endpoint, _, test), ids in landed.present.items()
        if endpoint == "bugs" and str(STRAY_ID) in ids
    ]
    assert select(f"select test_id from testio_raw.bugs where id = {STRAY_ID}") == [(stray_of,)]


# Answers to other questions


def test_a_filter_that_is_ignored_is_noticed_and_doubles_nothing(
    account: Account, run: Run, warehouse: Path, undisturbed: Loaded
) -> None:
    result = run(lambda path, query: account(path, {} if path == "/bugs" else query))
    assert result.exit_code == 3
    assert "records of other tests" in result.output
    landed = raw.read(warehouse)
    assert raw.differences(landed, undisturbed.raw) == []


def test_a_bug_that_comes_with_several_tests_and_names_none_lands_once(
    account: Account, run: Run, warehouse: Path, undisturbed: Loaded
) -> None:
    def with_stray(path: str, query: Query) -> Answer:
        bugs = account(path, query).json()
        return Answer(200, {"bugs": [*bugs["bugs"], {"id": STRAY_ID}]} if path == "/bugs" else bugs)

    assert run(with_stray).exit_code == 0
    landed = raw.read(warehouse)
    assert_only_more(landed, undisturbed.raw, 1)
    assert raw.doubled(landed) == []


def test_a_test_that_two_products_list_lands_once(
    account: Account, run: Run, loaded: Path, undisturbed: Loaded
) -> None:
    shared = all_tests(account)[0]
    paths = [f"/products/{product['id']}/exploratory_tests" for product in all_products(account)]

    def sharing(path: str, query: Query) -> Answer:
        found = account(path, query)
        if path not in paths or query["page"] != ["1"]:
            return found
        tests = found.json()["exploratory_tests"]
        own = account(f"/products/{shared['product']['id']}/exploratory_tests", query).json()
        return Answer(
            200,
            {
                "exploratory_tests": [
                    *(test for test in tests if test["id"] != shared["id"]),
                    *(test for test in own["exploratory_tests"] if test["id"] == shared["id"]),
                ]
            },
        )

    assert run(sharing).exit_code == 0
    assert raw.differences(raw.read(loaded), undisturbed.raw) == []


# Refusals


@pytest.mark.parametrize("after", [2, 12, 30])
@pytest.mark.parametrize("fault", [revoked, down])
def test_an_end_in_the_middle_leaves_what_is_known(
    fault: Callable[..., Handler],
    after: int,
    account: Account,
    run: Run,
    warehouse: Path,
    undisturbed: Loaded,
) -> None:
    result = run(fault(account, after=after))
    assert result.exit_code == 3
    assert ("HTTP 401" if fault is revoked else "HTTP 503") in result.output
    landed = raw.read(warehouse)
    assert landed.incomplete
    assert payloads(landed) <= payloads(undisturbed.raw)
    assert raw.doubled(landed) == []
    assert run(account).exit_code == 0
    landed = raw.read(warehouse)
    assert landed.current == undisturbed.raw.current
    assert_present(landed, undisturbed.raw)


def test_an_end_in_the_middle_takes_nothing_away(
    account: Account, run: Run, loaded: Path, undisturbed: Loaded
) -> None:
    assert run(revoked(account, after=20)).exit_code == 3
    assert raw.differences(raw.read(loaded), undisturbed.raw) == []


@pytest.mark.parametrize("fault", [revoked, down])
def test_a_load_that_reads_nothing_fails_and_lands_nothing(
    fault: Callable[..., Handler], account: Account, run: Run, loaded: Path, undisturbed: Loaded
) -> None:
    before = len(undisturbed.raw.ledger)
    result = run(fault(account, after=1))
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    landed = raw.read(loaded)
    assert raw.differences(landed, undisturbed.raw) == []
    assert landed.incomplete == {}
    assert len(landed.ledger) == before


def test_a_forbidden_product_costs_no_other(
    account: Account, run: Run, loaded: Path, undisturbed: Loaded
) -> None:
    product = all_products(account)[0]["id"]
    assert run(forbidden(account, path_part=f"/products/{product}")).exit_code == 3
    landed = raw.read(loaded)
    assert raw.differences(landed, undisturbed.raw) == []
    assert all(outcome.endswith("HTTP 403") for outcome in landed.incomplete.values())
    assert {product_id for _, product_id, _ in landed.incomplete if product_id is not None} == {
        product
    }


def test_an_access_that_is_withdrawn_altogether_stops_the_load(
    account: Account, run: Run, loaded: Path, undisturbed: Loaded
) -> None:
    calls = Tally()

    def withdrawn(path: str, query: Query) -> Answer:
        return Answer(403) if calls.next() > 15 else account(path, query)

    assert run(withdrawn).exit_code == 3
    # Some fail while the last answers arrive, then twenty in a row, and what is under way.
    assert calls.next() < 15 + 10 + 20 + 10 + 5
    landed = raw.read(loaded)
    assert raw.differences(landed, undisturbed.raw) == []
    assert any("the API no longer answers" in why for why in landed.incomplete.values())


def test_an_api_that_is_down_is_not_asked_for_everything(account: Account, run: Run) -> None:
    calls = Tally()

    def counted(path: str, query: Query) -> Answer:
        calls.next()
        return ended(path, query)

    ended = down(account, after=15)
    assert run(counted).exit_code == 3
    assert calls.next() < 15 + 5 * 40  # each call is tried five times


def test_a_product_whose_features_are_refused_costs_nothing_else(
    account: Account, run: Run, loaded: Path, undisturbed: Loaded
) -> None:
    product = next(p for p in all_products(account) if not section_ids(p))["id"]

    def refused(path: str, query: Query) -> Answer:
        return Answer(422) if path == f"/products/{product}/features" else account(path, query)

    assert run(refused).exit_code == 3
    landed = raw.read(loaded)
    assert landed.incomplete == {("features", product, None): "HTTP 422"}
    assert raw.differences(landed, undisturbed.raw) == []


# What is gone


def test_what_a_product_had_before_is_not_gone_by_being_not_found(
    account: Account, run: Run, loaded: Path, undisturbed: Loaded, warehouse: Path
) -> None:
    product = next(p for p in all_products(account) if not section_ids(p))["id"]

    def missing(path: str, query: Query) -> Answer:
        return Answer(404) if path == f"/products/{product}/features" else account(path, query)

    assert run(missing).exit_code == 3
    landed = raw.read(loaded)
    assert landed.incomplete == {("features", product, None): "HTTP 404"}
    assert raw.differences(landed, undisturbed.raw) == []
    warehouse.unlink()
    assert run(missing).exit_code == 0
    assert raw.read(warehouse).ledger["features", product, None][:3] == (True, "ok", "[]")


def test_a_test_whose_last_bug_was_deleted_is_a_complete_read_of_nothing(
    account: Account, run: Run, loaded: Path
) -> None:
    before = raw.read(loaded)
    (_, _, test), ids = next(
        (scope, json.loads(ids))
        for scope, ids in before.present.items()
        if scope[0] == "bugs" and ids != "[]"
    )
    for bug in ids:
        account.remove("bugs", bug)
    assert run(account).exit_code == 0
    landed = raw.read(loaded)
    assert landed.ledger["bugs", None, test][:3] == (True, "ok", "[]")
    assert landed.current["bugs"] == before.current["bugs"]


def test_a_deleted_test_is_in_no_list_any_more(account: Account, run: Run, loaded: Path) -> None:
    test = all_tests(account)[0]
    account.remove("tests", test["id"])
    assert run(account).exit_code == 0
    present = raw.read(loaded).present["tests", test["product"]["id"], None]
    assert test["id"] not in json.loads(present)
