"""Faults misbehave as they say, the same every time, and in nothing else."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests
from click.testing import CliRunner
from sandbox_reads import all_products, all_tests

from testio_loader.commands.cli import main
from testio_sandbox import TOKEN, Account, Answer, Handler, serve
from testio_sandbox.faults import (
    FAULTS,
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


def ask(handler: Handler, path: str, **query: object) -> Answer:
    return handler(path, {name: [str(value)] for name, value in query.items()})


def asked(handler: Handler, path: str, **query: object) -> Any:
    answer = ask(handler, path, **query)
    assert answer.status == 200
    return json.loads(answer.data())


def outcome(handler: Handler, path: str, **query: object) -> object:
    """Status and body of an answer, or that there is none."""
    try:
        answer = ask(handler, path, **query)
    except ConnectionError:
        return "dropped"
    return answer.status, answer.data()


def list_path(account: Account, place: int = 0) -> str:
    return f"/products/{all_products(account)[place]['id']}/exploratory_tests"


def ids_by_page(handler: Handler, path: str, per_page: int) -> Iterator[list[int]]:
    """Read until an empty page, or until it is clear that none will come."""
    for page in range(1, 30):
        tests = asked(handler, path, page=page, per_page=per_page)["exploratory_tests"]
        if not tests:
            return
        yield [test["id"] for test in tests]


@pytest.fixture(scope="module")
def large() -> Account:
    """Not to be edited."""
    return Account(products=1, tests=120, bugs=300)


# Refusals


@pytest.mark.parametrize("fault", [rate_limited, rate_limited_until, rate_limited_silently])
def test_every_nth_call_is_refused(account: Account, fault: Callable[..., Handler]) -> None:
    handler = fault(account, every=3)
    answers = [ask(handler, "/products") for _ in range(9)]
    assert [answer.status for answer in answers] == [200, 200, 429] * 3
    said = answers[2].headers.get("Retry-After")
    if fault is rate_limited:
        assert said == "1"
    elif fault is rate_limited_until:
        assert said
        assert 0 <= parsedate_to_datetime(said).timestamp() - time.time() <= 2
    else:
        assert said is None


def test_calls_are_counted_across_threads(account: Account) -> None:
    handler = rate_limited(account, every=5)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(handler, "/products").status, range(200)))
    assert Counter(answers) == {200: 160, 429: 40}


@pytest.mark.parametrize(("fault", "status"), [(revoked, 401), (down, 503)])
def test_the_end_comes_with_the_nth_call(
    account: Account, fault: Callable[..., Handler], status: int
) -> None:
    handler = fault(account, after=3)
    statuses = [ask(handler, "/products").status for _ in range(5)]
    assert statuses == [200, 200, status, status, status]


def test_one_products_paths_are_forbidden(account: Account) -> None:
    first, second, _ = (f"/products/{product['id']}" for product in all_products(account))
    for handler, denied, allowed in (
        (forbidden(account), first, second),
        (forbidden(account, path_part=second), second, first),
    ):
        assert ask(handler, "/products").status == 200
        assert ask(handler, f"{allowed}/exploratory_tests").status == 200
        for path in (denied, f"{denied}/exploratory_tests"):
            assert ask(handler, path).status == 403


@pytest.mark.parametrize("per_page", [1, 2, 7, 25, 100])
def test_a_broken_test_spoils_the_page_it_is_on(large: Account, per_page: int) -> None:
    path = list_path(large)
    ids = [id_ for page in ids_by_page(large, path, 100) for id_ in page]
    handler = broken_test(large, position=40)
    for page in range(1, 120 // per_page + 2):
        served = ids[(page - 1) * per_page : page * per_page]
        expected = 500 if ids[39] in served else 200
        assert ask(handler, path, page=page, per_page=per_page).status == expected
    assert ask(handler, path).status == 500
    assert ask(handler, f"/exploratory_tests/{ids[39]}").status == 200


def test_the_third_test_is_broken_unless_told_otherwise(account: Account) -> None:
    statuses = Counter(
        ask(broken_test(account), list_path(account, place), page=page, per_page=1).status
        for place in range(3)
        for page in range(1, 5)
    )
    assert statuses[500] == 1
    with pytest.raises(ValueError, match="no product has 13 tests"):
        broken_test(account, position=13)


def test_many_tests_are_too_slow(account: Account) -> None:
    handler = slow_for_many(account, more_than=3)
    ids = [str(test["id"]) for test in all_tests(account)]
    assert ask(handler, "/bugs", filter_test_cycle_ids=",".join(ids[:3])).status == 200
    answer = ask(handler, "/bugs", filter_test_cycle_ids=",".join(ids[:4]))
    assert (answer.status, answer.headers["Content-Type"]) == (524, "text/html")
    assert ask(handler, "/bugs").status == 524
    assert ask(handler, "/bugs/reject_reasons").status == 200


# What comes and goes


@pytest.mark.parametrize("fault", [flaky, garbled])
def test_some_calls_go_wrong_but_never_three_in_a_row(
    account: Account, fault: Callable[..., Handler]
) -> None:
    handler, sound = fault(account), outcome(account, "/products")
    results = [outcome(handler, "/products", number=n) for n in range(300) for _ in range(4)]
    wrong = [result for result in results if result != sound]
    assert 0.03 < len(wrong) / len(results) < 0.07
    assert len(set(wrong)) == (4 if fault is flaky else len(GARBAGE))
    handler = fault(account, share=1.0)
    row = [outcome(handler, "/products") == sound for _ in range(9)]
    assert row == [False, False, True] * 3


def test_the_same_goes_wrong_whenever_the_same_is_asked(account: Account) -> None:
    handlers = flaky(account), flaky(account)
    one = {n: outcome(handlers[0], "/products", number=n) for n in range(200)}
    other = {n: outcome(handlers[1], "/products", number=n) for n in reversed(range(200))}
    assert one == other


def test_some_answers_hang(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    handler = hanging(account, seconds=75.0, share=1.0)
    assert [ask(handler, "/products").status for _ in range(3)] == [200] * 3
    assert slept == [75.0, 75.0]


@pytest.mark.parametrize("kind", GARBAGE)
def test_one_path_is_garbled_for_good(account: Account, kind: str) -> None:
    handler = garbled_for_good(account, path="/products", kind=kind)
    bodies = {ask(handler, "/products").data() for _ in range(3)}
    assert {ask(handler, "/products").status for _ in range(3)} == {200}
    assert ask(handler, "/bugs/reject_reasons") == ask(account, "/bugs/reject_reasons")
    (body,) = bodies
    if kind in ("cut_short", "html", "empty"):
        with pytest.raises(json.JSONDecodeError):
            json.loads(body)
    else:
        found, products = json.loads(body), all_products(account)
        assert found == ([products] if kind == "list" else {"other_products": products})


# Pages


def test_pages_are_ignored_capped_or_overlap(large: Account) -> None:
    path = list_path(large)
    pages = list(ids_by_page(large, path, 50))
    ids = [id_ for page in pages for id_ in page]
    assert [len(page) for page in pages] == [50, 50, 20]
    assert list(ids_by_page(page_ignored(large), path, 50)) == [ids[:50]] * 29
    assert list(ids_by_page(small_pages(large), path, 50)) == [ids[:40], ids[40:80], ids[80:]]
    overlapping = list(ids_by_page(overlapping_pages(large), path, 50))
    assert overlapping == [ids[:50], ids[49:100], ids[99:]]
    assert sum(1 for _ in ids_by_page(overlapping_pages(large), path, 5)) == 24
    for fault in (page_ignored, small_pages, overlapping_pages):
        unpaged = asked(fault(large), path)["exploratory_tests"]
        assert [test["id"] for test in unpaged] == ids


def test_a_test_vanishes_while_the_list_is_read() -> None:
    account = Account(products=2, tests=60, bugs=60)
    path = list_path(account)
    before = [id_ for page in ids_by_page(account, path, 100) for id_ in page]
    assert len(before) > 30
    read = [id_ for page in ids_by_page(rate_limited(shifting(account)), path, 10) for id_ in page]
    assert read == before[:10] + before[11:]
    assert asked(account, path)["exploratory_tests"][0]["id"] == before[1]
    assert account.truth().tests == 59


def test_a_test_is_added_while_the_list_is_read() -> None:
    account = Account(products=2, tests=60, bugs=60)
    path = list_path(account)
    before = [id_ for page in ids_by_page(account, path, 100) for id_ in page]
    handler = growing(rate_limited(account, every=1000))
    read = [id_ for page in ids_by_page(handler, path, 10) for id_ in page]
    assert read == before[:10] + before[9:]
    again = [id_ for page in ids_by_page(handler, path, 10) for id_ in page]
    assert again[1:] == before
    assert again[0] not in before
    assert account.truth().tests == 61
    with pytest.raises(TypeError):
        growing(lambda path, query: Answer())


# Records


@pytest.mark.parametrize("batch", [1, 3, 12])
def test_extra_records_stand_among_the_bugs_of_one_test(account: Account, batch: int) -> None:
    handler = stray_bug(hostile_records(account))
    ids = [str(test["id"]) for test in all_tests(account)]
    batches = [",".join(ids[at : at + batch]) for at in range(0, len(ids), batch)]
    sound, served = (
        [asked(source, "/bugs", filter_test_cycle_ids=named)["bugs"] for named in batches]
        for source in (account, handler)
    )
    extras = [bugs[len(s) :] for bugs, s in zip(served, sound, strict=True)]
    ((at, found),) = [(at, extra) for at, extra in enumerate(extras) if extra]
    assert len(found) == len(HOSTILE) + 1
    hostile, stray = found[:-1], found[-1]
    assert "test" not in stray
    assert stray["id"] == STRAY_ID
    (test_id,) = {bug["test"]["id"] for bug in hostile if isinstance(bug, dict)}
    assert str(test_id) == next(str(s[0]["test"]["id"]) for s in sound if s)
    assert str(test_id) in batches[at]
    assert account.truth().bugs == 60


def test_hostile_records_are_what_their_names_say(account: Account) -> None:
    data = ask(hostile_records(account), "/bugs").data()
    bugs = json.loads(data)["bugs"][60:]
    by_name = dict(zip(HOSTILE, bugs, strict=True))
    assert by_name["null"] is None
    assert by_name["number"] == 17
    assert "id" not in by_name["no_id"]
    assert by_name["huge_id"]["id"] > 2**64
    assert by_name["keys_that_differ_in_case"].keys() >= {"title", "Title"}
    assert by_name["nul_character"]["title"] == "Before\0after"
    assert len(by_name["long_text"]["actual_result"]) == 60_000
    for raw in (rb"\ud800", rb"\u0000", b":NaN", b"123456789012345678901234567890"):
        assert raw in data
    assert {name: int(by_name[name]["id"]) for name in HOSTILE_IDS} == HOSTILE_IDS
    without_id = HOSTILE.keys() - HOSTILE_IDS.keys()
    assert without_id == {"no_id", "null_id", "word_as_id", "huge_id", "null", "number"}
    assert len(asked(hostile_records(account, kinds=["null"]), "/bugs")["bugs"]) == 61


# All of them


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_can_be_put_around_any_other(account: Account, name: str) -> None:
    for fault in FAULTS.values():
        handler = FAULTS[name](fault(account))
        for path in ("/products", "/bugs", list_path(account)):
            outcome(handler, path, page=1)


def test_a_dropped_connection_is_one(account: Account) -> None:
    handler = flaky(account, share=1.0)
    number = next(n for n in range(50) if outcome(handler, "/products", number=n) == "dropped")
    url = f"/products?number={number}"
    with serve(flaky(account, share=1.0)) as sandbox, pytest.raises(requests.ConnectionError):
        requests.get(sandbox.url + url, headers={"Authorization": f"Token {TOKEN}"}, timeout=5)


def test_faults_are_chosen_on_the_command_line() -> None:
    ask_for_products = (
        "import os, urllib.request as r\n"
        "s = {k.rsplit('__')[-1]: v for k, v in os.environ.items() if k.startswith('SOURCES__')}\n"
        "q = r.Request(s['BASE_URL'] + '/products', "
        "headers={'Authorization': 'Token ' + s['API_TOKEN']})\n"
        "try: r.urlopen(q)\n"
        "except r.HTTPError as e: raise SystemExit(e.code % 256)\n"
    )
    options = ["--fault", "garbled_for_good", "--fault", "down"]
    # The fiftieth call is the first that is refused.
    program = f"for _ in range(50):\n exec({ask_for_products!r})"
    result = CliRunner().invoke(main, ["sandbox", *options, "python", "-c", program])
    assert result.exit_code == 503 % 256
    assert CliRunner().invoke(main, ["sandbox", "--fault", "nothing"]).exit_code == 2
