"""The sandbox is honest to the description of the API, and the same every time."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import requests
from sandbox_reads import (
    all_bugs,
    all_executions,
    all_features,
    all_products,
    all_test_features,
    all_tests,
    pages,
    read,
    section_ids,
    smallest,
    status,
    versions,
)

from testio_sandbox import MISSING, TOKEN, Account, Answer, Query, serve

# The same in every process, another for every customer


def test_equal_arguments_give_equal_answers_in_every_process() -> None:
    program = (
        "import sys; from testio_sandbox import Account; a = Account(3, 12, 60, seed=7);"
        "[sys.stdout.buffer.write(a(path, {}).data()) for path in "
        "('/products', '/bugs', '/user_story_version_executions')]"
    )
    first, second = (
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    )
    assert first == second
    assert len(first) > 60 * 2000


def test_customers_share_testers_but_no_ids() -> None:
    one, other = (all_bugs(smallest(customer=customer)) for customer in ("north", "south"))
    assert not {int(bug["id"]) for bug in one} & {int(bug["id"]) for bug in other}
    assert {bug["author"]["name"] for bug in one} & {bug["author"]["name"] for bug in other}


def test_only_signatures_of_attachments_differ_from_read_to_read(account: Account) -> None:
    first, second = (account("/bugs", {}).data() for _ in range(2))
    assert first != second
    assert first.replace(b"signature=1", b"signature=2") == second


# Lists and filters


def test_pages_hold_every_test_once_and_end_in_an_empty_one() -> None:
    account = Account(products=1, tests=260, bugs=10)
    path = f"/products/{all_products(account)[0]['id']}/exploratory_tests"
    by_25 = list(pages(account, path, 25))
    assert [len(page) for page in by_25] == [25] * 10 + [10]
    ids = [test["id"] for page in by_25 for test in page]
    assert len(set(ids)) == 260
    for query, expected in (
        ({"page": 1}, ids[:25]),
        ({"page": 2, "per_page": 500}, ids[100:200]),
        ({}, ids[:150]),
        ({"page": 12}, []),
    ):
        served = read(account, path, **query)["exploratory_tests"]
        assert [test["id"] for test in served] == expected, query


def test_tests_are_listed_newest_first_but_not_by_id() -> None:
    tests = all_tests(Account(products=1, tests=60, bugs=10))
    starts = [test["start_at"] for test in tests]
    undated = starts.count(None)
    assert starts[:undated] == [None]
    dated = [datetime.fromisoformat(start) for start in starts[undated:]]
    assert dated == sorted(dated, reverse=True)
    ids = [test["id"] for test in tests]
    assert ids != sorted(ids, reverse=True)


def test_products_with_sections_are_read_by_section() -> None:
    account = Account(products=4, tests=12, bugs=60)
    kinds = Counter(bool(section_ids(product)) for product in all_products(account))
    assert kinds == {True: 2, False: 2}
    for product in all_products(account):
        base, sections = f"/products/{product['id']}", section_ids(product)
        assert status(account, f"{base}/features") == (422 if sections else 200)
        assert status(account, f"{base}/user_stories") == (422 if sections else 200)
        for id_ in sections:
            assert read(account, f"{base}/sections/{id_}/features")["features"]
            stories = read(account, f"{base}/user_stories", section_id=id_)["user_stories"]
            assert set(stories[0]) == {"id", "path", "title"}


def test_bugs_are_filtered(account: Account) -> None:
    bugs, products = all_bugs(account), all_products(account)
    tests = [test["id"] for test in all_tests(account)][:8]
    for name, part, wanted in (
        ("filter_test_cycle_ids", "test", tests),
        ("filter_product_ids", "product", [product["id"] for product in products][:2]),
        ("filter_section_ids", "section", list(section_ids(products[0]))[:2]),
    ):
        expected = {bug["id"] for bug in bugs if bug[part] and int(bug[part]["id"]) in wanted}
        found = read(account, "/bugs", **{name: ",".join(map(str, wanted))})["bugs"]
        assert {bug["id"] for bug in found} == expected, name
        assert 0 < len(found) < len(bugs), name
    assert all(b["exported_at"] for b in read(account, "/bugs", export_status="exported")["bugs"])
    assert read(account, "/bugs", filter_test_cycle_ids="999999")["bugs"] == []


def test_user_stories_become_objects_on_demand(account: Account) -> None:
    compared = 0
    for product in all_products(account):
        path = f"/products/{product['id']}/exploratory_tests"
        given = read(account, path)["exploratory_tests"]
        expanded = read(account, path, includes__="user_stories")["exploratory_tests"]
        for test, with_objects in zip(given, expanded, strict=True):
            for feature, other in zip(test["features"], with_objects["features"], strict=True):
                if shape(feature, "user_stories") == "list of str":
                    paths = [story["path"] for story in other["user_stories"]]
                    assert feature["user_stories"] == paths
                    compared += 1
    assert compared


def test_templates_are_those_of_a_product_or_of_a_section() -> None:
    account = Account(products=5)
    counts, shapes = [], set()
    for product in all_products(account):
        answer = read(account, "/test_templates", product_id=product["id"])
        shapes.add(type(answer))
        templates = {t["id"]: t for t in listed(answer)}
        counts.append(len(templates))
        of_sections = {
            template["id"]: template
            for id_ in section_ids(product)
            for template in listed(
                read(account, "/test_templates", product_id=product["id"], section_id=id_)
            )
        }
        assert of_sections == (templates if section_ids(product) else {})
    assert counts == [1, 2, 3, 0, 1]
    assert shapes == {list, dict}


def listed(answer: Any) -> list[Any]:
    """Test templates come bare or under a key."""
    templates: list[Any] = answer if isinstance(answer, list) else answer["test_templates"]
    return templates


def test_only_tests_without_a_type_are_test_case_tests(account: Account) -> None:
    tests = all_tests(account)
    for test in tests:
        path = f"/products/{test['product']['id']}/test_case_tests/{test['id']}"
        expected = 200 if test["testing_type"] is None else 404
        assert status(account, path) == status(account, f"{path}/results") == expected
    types = {test["testing_type"] for test in tests}
    assert types == {"coverage", "focused", "rapid", "usability", "external", None}


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        ("/products/1", {}, 404),
        ("/exploratory_tests/1", {}, 404),
        ("/exploratory_tests/one", {}, 404),
        ("/products/102/sections/1/features", {}, 404),
        ("/nothing", {}, 404),
        ("/test_templates", {}, 422),
        ("/test_templates", {"product_id": "1"}, 404),
        ("/test_templates", {"product_id": "102", "section_id": "1"}, 404),
        ("/bugs", {"filter_test_cycle_ids": "1,x"}, 422),
        ("/bugs", {"export_status": "perhaps"}, 422),
        ("/user_story_version_executions", {"page": "0"}, 422),
        ("/user_story_version_executions", {"order": "sideways"}, 422),
        ("/user_story_version_executions", {"user_story_ids[]": "1,2"}, 422),
    ],
)
def test_what_makes_no_sense_is_refused(
    account: Account, path: str, query: dict[str, str], expected: int
) -> None:
    assert status(account, path, **query) == expected


# Results of a test, and of counting


def test_results_of_a_test_agree_with_its_bugs() -> None:
    account = Account(tests=80)
    statuses: Counter[str] = Counter()
    for listed in all_tests(account):
        path = f"/exploratory_tests/{listed['id']}"
        test = read(account, path, includes__="user_stories")["exploratory_test"]
        bugs = read(account, "/bugs", filter_test_cycle_ids=listed["id"])["bugs"]
        assert test["analytics"]["total_bugs"] == len(bugs)
        named = Counter(str((bug.get("test_feature") or {}).get("id")) for bug in bugs)
        for feature in test["features"]:
            bugs_found = named[str(feature["id"])] if "id" in feature else 0
            stories = feature.get("user_stories") or []
            assert feature["bugs_found"] == len(feature["bug_ids"]) == bugs_found
            assert feature["execution_status"] == "failed" or not bugs_found
            assert feature["execution_status"] in ("not_tested", "failed") or stories
            assert all(set(story["bug_ids"]) <= set(feature["bug_ids"]) for story in stories)
            statuses[feature["execution_status"]] += 1
        assert "analytics" not in listed
    assert statuses.keys() == {"not_tested", "passed", "failed", "blocked"}


def test_the_truth_adds_up(account: Account) -> None:
    truth = account.truth()
    rejected = truth.rejected_test_features
    assert (truth.products, truth.tests, truth.bugs) == (3, 12, 60)
    assert truth.features == len({feature["id"] for feature in all_features(account)})
    assert truth.test_feature_elements == truth.test_features + rejected.total()
    assert rejected.keys() == {"no id", "no feature_id", "unknown feature"}
    assert truth.bugs == truth.attributed_bugs + truth.unattributed_bugs.total()
    assert len(truth.unattributed_bugs) == 3
    assert truth.bugs == truth.bugs_by_status.total() == truth.bugs_by_product.total()
    assert truth.bugs_by_status["rejected"] == truth.rejected_bugs_by_reason.total()
    assert truth.test_details == truth.tests
    untyped = [test for test in all_tests(account) if test["testing_type"] is None]
    assert truth.test_case_tests == len(untyped) == 2
    assert truth.test_case_results > 0
    assert (truth.test_environments, truth.test_templates) == (9, 6)
    assert truth.executions == truth.executions_by_status.total()
    assert truth.executions == truth.executions_by_story.total() == len(all_executions(account))
    assert truth.executions_by_story.keys() <= {story for _, story, _ in versions(account)}
    assert truth.user_stories > len(truth.executions_by_story)


# Traps


def shape(record: Any, name: str) -> str:
    """What a record holds under a name, in a word."""
    if name not in record:
        return "missing"
    value = record[name]
    if isinstance(value, list) and value:
        return f"list of {type(value[0]).__name__}"
    return str(value) if value is None or isinstance(value, bool) else type(value).__name__


SHAPES: list[tuple[Callable[[Account], list[Any]], str, set[str]]] = [
    (all_features, "user_stories", {"list of str", "list of dict", "None", "missing"}),
    (all_test_features, "user_stories", {"list of str", "list of dict", "None", "missing"}),
    (all_test_features, "id", {"int", "str", "missing"}),
    (all_test_features, "feature_id", {"int", "str", "None", "missing"}),
    (all_test_features, "title", {"str", "None", "missing"}),
    (all_test_features, "enable_default", {"True", "False", "None", "missing"}),
    (all_test_features, "enable_content", {"True", "False", "None", "missing"}),
    (all_test_features, "enable_visual", {"True", "False", "None", "missing"}),
    (all_tests, "title", {"str", "None", "missing"}),
    (all_tests, "start_at", {"str", "None"}),
    (all_tests, "created_by", {"str", "None"}),
    (all_bugs, "id", {"int", "str"}),
    (all_bugs, "test_feature", {"dict", "None", "missing"}),
    (all_bugs, "steps", {"list of str", "str"}),
    (all_bugs, "feature", {"dict", "missing"}),
    (all_bugs, "app_section", {"dict", "missing"}),
    (all_bugs, "known", {"True", "False", "missing"}),
    (all_bugs, "auto_accepted", {"True", "False", "missing"}),
    (all_bugs, "devices", {"list of dict", "list"}),
    (all_bugs, "attachments", {"list of dict", "list"}),
    (all_bugs, "reported_at", {"str", "None"}),
    (all_bugs, "report", {"dict", "None"}),
]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_smallest_account_has_every_shape(seed: int) -> None:
    account = smallest(seed)
    for records, name, expected in SHAPES:
        found = {shape(record, name) for record in records(account)}
        assert expected == found, f"{records.__name__}: {name}"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_smallest_account_has_every_trap(seed: int) -> None:
    account = smallest(seed)
    tests, bugs = all_tests(account), all_bugs(account)
    met = Counter(feature["id"] for feature in all_features(account))
    assert max(met.values()) > 1, "the same feature in several sections"
    assert {test["status"] for test in tests} == {
        "initialized", "pending", "waiting", "customer_finalized", "running", "locked",
        "completed", "archived", "cancelled",
    }  # fmt: skip
    assert any({} in test["requirements"] for test in tests)
    assert {b["status"] for b in bugs} == {"accepted", "rejected", "forwarded", "on_hold"}
    severities = {"low", "high", "critical", "visual", "content", "custom"}
    assert {bug["severity"] for bug in bugs} == severities
    endings = {str(bug["reported_at"])[19:] for bug in bugs}
    assert {"Z", "-05:00"} <= endings
    assert {ending[4:] for ending in endings if ending.startswith(".")} == {"Z", "+02:00"}
    titles = "".join(bug["title"] for bug in bugs)
    assert all(part in titles for part in ("😱", "زر", "\n", '"', "'", "\\"))
    assert sum(len(bug["actual_result"]) > 60_000 for bug in bugs) == 1
    versions = [d["operating_system_version"] for bug in bugs for d in bug["devices"]]
    assert all(version in versions for version in (None, {"name": None}))
    assert {len(bug["devices"]) for bug in bugs} == {0, 1, 2}
    ids = {str(feature.get("id")) for feature in all_test_features(account)}
    named = [bug["test_feature"] for bug in bugs if bug.get("test_feature")]
    assert any("feature_id" not in test_feature for test_feature in named)
    assert any(str(test_feature.get("id")) not in ids for test_feature in named)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_comments_tell_why_a_bug_was_rejected_or_do_not(seed: int) -> None:
    account = smallest(seed)
    reasons = read(account, "/bugs/reject_reasons")["reject_reasons"]
    assert len(reasons) == 7
    quoted: dict[str, set[int]] = {"accepted": set(), "rejected": set()}
    for bug in all_bugs(account):
        said = "".join(comment["body"] for comment in bug["comments"])
        count = sum(reason["default_comment"] in said for reason in reasons)
        quoted.setdefault(bug["status"], set()).add(count)
    assert quoted["rejected"] == {0, 1, 2}
    assert quoted["accepted"] == {0, 1}


def test_credentials_ride_along_and_can_be_searched_for(account: Account) -> None:
    path = f"/products/{all_products(account)[1]['id']}/test_environments"
    environments = read(account, path)["test_environments"]
    for holder in [*all_tests(account), *all_bugs(account)]:
        environments.append(holder["test_environment"])
    for environment in environments:
        for name in ("username", "password", "access", "url"):
            assert not environment[name] or "s3cr3t" in environment[name]
    urls = {environment["url"] for environment in environments} - {None}
    assert any("s3cr3t@" in url for url in urls)
    assert all("token=s3cr3t" in url for url in urls)


# Edits


def test_edits_show_wherever_the_record_is_served(account: Account) -> None:
    product = all_products(account)[2]["id"]
    path = f"/products/{product}"
    tests = [test for test in all_tests(account) if test["product"]["id"] == product]
    test = next(t for t in tests if t.get("title") and account.truth().bugs_by_test[t["id"]])
    removed = read(account, f"{path}/features")["features"][-1]["id"]
    bugs_before = read(account, "/bugs", filter_test_cycle_ids=test["id"])["bugs"]

    account.change("products", product, name="Renamed")
    account.change("tests", test["id"], title="Retold", goal=MISSING)
    account.add("tests", {"id": 79, "title": "New", "product": {"id": product}})
    account.add("features", {"id": 78, "title": "New"}, parent=product)
    account.remove("features", removed)
    account.add("bugs", None, parent=test["id"])
    account.add("bugs", {"id": 77, "title": "New", "test": {"id": test["id"]}})
    account.change("bugs", 77, severity="low")

    assert read(account, path)["product"]["name"] == "Renamed"
    newest, *others = read(account, f"{path}/exploratory_tests")["exploratory_tests"]
    assert newest["id"] == 79
    changed = next(other for other in others if other["id"] == test["id"])
    assert (changed["title"], changed["product"]["name"]) == ("Retold", "Renamed")
    assert "goal" not in changed
    ids = {feature["id"] for feature in read(account, f"{path}/features")["features"]}
    assert 78 in ids
    assert removed not in ids
    bugs = read(account, "/bugs", filter_test_cycle_ids=test["id"])["bugs"]
    new = {"id": 77, "title": "New", "severity": "low", "test": {"id": test["id"]}}
    assert bugs[:2] == [new, None]
    assert {bug["test"]["title"] for bug in bugs[2:]} == {"Retold"}
    assert {bug["product"]["name"] for bug in bugs[2:]} == {"Renamed"}
    analytics = read(account, f"/exploratory_tests/{test['id']}")["exploratory_test"]["analytics"]
    assert analytics["total_bugs"] == len(bugs_before) + 1


def test_what_is_removed_is_gone_with_all_that_belongs_to_it(account: Account) -> None:
    by_test = account.truth().bugs_by_test
    first, *_, last = [test for test in all_tests(account) if by_test[test["id"]]]
    bug = int(read(account, "/bugs", filter_test_cycle_ids=first["id"])["bugs"][0]["id"])
    account.remove("bugs", bug)
    assert account.truth().bugs == 59
    account.remove("tests", first["id"])
    assert status(account, f"/exploratory_tests/{first['id']}") == 404
    assert read(account, "/bugs", filter_test_cycle_ids=first["id"])["bugs"] == []
    account.remove("products", last["product"]["id"])
    assert status(account, f"/exploratory_tests/{last['id']}") == 404
    assert account.truth().products == 2
    with pytest.raises(KeyError):
        account.change("bugs", bug, title="too late")


# Over HTTP


def get(url: str, token: str = TOKEN, **query: str) -> requests.Response:
    headers = {"Authorization": f"Token {token}"}
    return requests.get(url, params=query, headers=headers, timeout=5)


def test_requests_are_answered_and_remembered(account: Account) -> None:
    with serve(account) as sandbox:
        answer = get(f"{sandbox.url}/bugs", filter_test_cycle_ids="1,2")
        assert (answer.status_code, answer.json()) == (200, {"bugs": []})
        assert sandbox.requests == [("/bugs", {"filter_test_cycle_ids": ["1,2"]})]
        assert requests.post(f"{sandbox.url}/bugs", timeout=5).status_code == 405
        assert get(sandbox.url.replace("/customer/v2", "/products")).status_code == 404
    with pytest.raises(requests.ConnectionError):
        get(f"{sandbox.url}/products")


def test_a_token_opens_one_customers_account() -> None:
    accounts = {name: smallest(customer=name) for name in ("north", "south")}
    with serve(accounts) as sandbox:
        url = f"{sandbox.url}/products"
        served = {name: get(url, token=name).json()["products"] for name in accounts}
        refused = get(url, token="west")
        assert (refused.status_code, list(refused.json())) == (401, ["error"])
        assert requests.get(url, timeout=5).status_code == 401
    assert served == {name: all_products(account) for name, account in accounts.items()}


def test_a_handler_can_be_wrapped_to_misbehave(account: Account) -> None:
    faults = iter([
        Answer(429, {"error": "slow down"}, {"Retry-After": "1"}),
        Answer(524, b"<html>", {"Content-Type": "text/html"}),
        Answer(200, b'{"bugs": [', {"Content-Length": "99", "Connection": "close"}),
        None,
    ])  # fmt: skip

    def faulty(path: str, query: Query) -> Answer:
        fault = next(faults, account(path, query))
        if fault is None:
            raise ConnectionResetError
        return fault

    with serve(faulty) as sandbox:
        url = f"{sandbox.url}/products"
        slow_down = get(url)
        assert (slow_down.status_code, slow_down.headers["Retry-After"]) == (429, "1")
        assert get(url).status_code == 524
        for _ in ("cut short", "dropped"):
            with pytest.raises(requests.RequestException):
                get(url)
        assert get(url).status_code == 200


def test_a_kept_connection_is_answered_again_and_again(account: Account) -> None:
    with serve(account) as sandbox, requests.Session() as session:
        session.headers["Authorization"] = f"Token {TOKEN}"
        for _ in range(20):
            assert session.get(f"{sandbox.url}/bugs/reject_reasons", timeout=5).ok
