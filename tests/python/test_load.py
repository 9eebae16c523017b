"""A load lands what the API gives: all of it, once, without credentials."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from loader import pipeline, warehouse
from loader.customers import Customer
from loader.endpoints import ENDPOINTS, EXECUTIONS
from loader.sandbox import Account, Answer, Query, serve

Load = Callable[..., pipeline.LoadReport]
Select = Callable[[str], list[tuple[Any, ...]]]

VERSIONED = tuple(endpoint.name for endpoint in ENDPOINTS)


def count(select: Select, table: str) -> int:
    return int(select(f"select count(*) from testio_raw.{table}")[0][0])


def test_everything_the_account_holds_lands(load: Load, select: Select, account: Account) -> None:
    report = load()
    truth = account.truth()
    assert not report.problems
    assert count(select, "products") == truth.products
    assert count(select, "features") == truth.features
    assert count(select, "tests") == truth.tests
    assert count(select, "bugs") == truth.bugs
    assert count(select, "reject_reasons") == 7
    assert count(select, "user_stories") == truth.user_stories
    assert count(select, "test_environments") == truth.test_environments
    assert count(select, "test_templates") == truth.test_templates
    assert count(select, "test_details") == truth.test_details
    assert count(select, "executions") == truth.executions
    assert count(select, "test_case_tests") == truth.test_case_tests
    assert count(select, "test_case_results") == truth.test_case_results


def test_an_execution_lands_with_the_user_story_it_was_found_by(
    load: Load, select: Select, account: Account
) -> None:
    load()
    by_story = "select user_story_id, count(*) from testio_raw.executions group by 1"
    assert dict(select(by_story)) == dict(account.truth().executions_by_story)


def test_no_credential_is_in_the_warehouse_or_beside_it(load: Load, warehouse: Path) -> None:
    load()
    landed = [path for path in warehouse.parent.rglob("*") if path.is_file()]
    assert warehouse in landed
    assert [path for path in landed if b"s3cr3t" in path.read_bytes()] == []
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        payloads = connection.execute("select payload from testio_raw.bugs").fetchall()
    assert "[redacted]" in str(payloads)
    assert "s3cr3t" not in str(payloads)


def test_loading_twice_changes_nothing(load: Load, select: Select) -> None:
    load()
    before = {table: count(select, table) for table in VERSIONED}
    report = load()
    assert {table: count(select, table) for table in VERSIONED} == before
    assert sum(endpoint.versions for endpoint in report.endpoints) == 0


def test_a_changed_record_is_a_new_version(load: Load, select: Select, account: Account) -> None:
    load()
    bug_id = select("select min(id) from testio_raw.bugs")[0][0]
    account.change("bugs", bug_id, title="Another title")
    load()
    versions = select(
        "select payload, _dlt_valid_to is null from testio_raw.bugs "
        f"where id = {bug_id} order by loaded_at"
    )
    assert [is_current for _, is_current in versions] == [False, True]
    assert json.loads(versions[1][0])["title"] == "Another title"


def test_single_tests_are_refreshed_with_their_bugs_only(
    load: Load, select: Select, account: Account
) -> None:
    load()
    (one, bug), (_, other_bug) = select(
        "select test_id, min(id) from testio_raw.bugs group by test_id order by 1 limit 2"
    )
    account.change("tests", one, goal="A new goal")
    account.change("bugs", bug, title="Changed")
    account.change("bugs", other_bug, title="Changed as well")
    report = load(test_ids=[one])
    new = {endpoint.endpoint: endpoint.versions for endpoint in report.endpoints}
    # The details of a test hold its bugs as well as what it is itself.
    assert {name for name, count in new.items() if count} == {"bugs", "tests", "test_details"}
    assert new["bugs"] == new["tests"] == 1
    assert "products" not in new


def test_an_unchanged_test_is_the_same_read_alone_or_in_a_list(load: Load, select: Select) -> None:
    load()
    ids = [id_ for (id_,) in select("select id from testio_raw.tests")]
    report = load(test_ids=ids)
    assert sum(endpoint.versions for endpoint in report.endpoints) == 0


def test_a_feature_of_several_sections_is_one_feature(load: Load, select: Select) -> None:
    load()
    assert select("select 1 from testio_raw.features group by id having count(*) > 1") == []
    sections = [
        json.loads(text) for (text,) in select("select section_ids from testio_raw.features")
    ]
    assert max(map(len, sections)) > 1
    assert [] in sections


def test_the_ledger_lists_each_scope_and_its_ids(load: Load, select: Select) -> None:
    load()
    scopes = select(
        "select endpoint, count(*), bool_and(is_complete), "
        "sum(json_array_length(ids::json)) from testio_raw.ledger group by 1"
    )
    of_test_cases = len(select("select id from testio_raw.test_case_tests"))
    parents = {"account": 1, "product": 3, "test": 12}
    assert {row[0]: row[1:] for row in scopes} == {
        endpoint.name: (
            of_test_cases
            if endpoint.for_test_cases
            # Of all executions there is a scope as well, with their number.
            else parents[endpoint.parent] + (endpoint is EXECUTIONS),
            True,
            count(select, endpoint.name),
        )
        for endpoint in ENDPOINTS
    }


def test_a_deleted_test_is_a_complete_read_of_nothing(load: Load, select: Select) -> None:
    report = load(test_ids=[99_999_999])
    assert not report.problems
    assert select("select is_complete, ids from testio_raw.ledger where endpoint = 'tests'") == [
        (True, "[]")
    ]


def test_what_cannot_be_keyed_is_quarantined(load: Load, select: Select, account: Account) -> None:
    with_id = account.truth().bugs
    product_id = account("/products", {}).json()["products"][0]["id"]
    tests = account(f"/products/{product_id}/exploratory_tests", {"page": ["1"]}).json()
    parent = tests["exploratory_tests"][0]["id"]
    account.add("bugs", {"title": "no id", "test": {"id": parent}}, parent=parent)
    account.add("bugs", None, parent=parent)
    report = load()
    assert count(select, "bugs") == with_id
    assert sorted(reason for (reason,) in select("select reason from testio_raw.quarantine")) == [
        "no id",
        "not an object",
    ]
    assert {row.endpoint: row.quarantined for row in report.endpoints}["bugs"] == 2


def test_a_refused_token_is_said_in_one_line(warehouse: Path, customer: Customer) -> None:
    stranger = Customer("acme", 7, "wrong", customer.base_url)
    with pytest.raises(pipeline.LoadFailed, match="refuses the token") as failure:
        pipeline.load(warehouse, stranger)
    assert "wrong" not in str(failure.value)
    assert "\n" not in str(failure.value)


def test_a_slow_answer_is_asked_for_in_halves(
    account: Account, warehouse: Path, select: Select
) -> None:
    def slow_for_many_tests(path: str, query: Query) -> Answer:
        tests = query.get("filter_test_cycle_ids", [""])[0].split(",")
        return Answer(524) if len(tests) > 3 else account(path, query)

    with serve(slow_for_many_tests) as sandbox:
        report = pipeline.load(warehouse, Customer("acme", 7, "sandbox", sandbox.url))
    assert not report.problems
    assert count(select, "bugs") == account.truth().bugs


@pytest.mark.parametrize(
    "bad",
    [
        Answer(500),
        Answer(200, b'{"bugs": [{"id'),
        Answer(200, b"<html>sorry</html>"),
        Answer(200, b""),
        Answer(200, {"error": "?"}),
        Answer(200, {"bugs": {}}),
        Answer(200, []),
    ],
    ids=["500", "cut", "html", "empty", "wrong key", "object for list", "list"],
)
def test_an_unusable_answer_is_an_incomplete_scope_and_never_no_rows(
    account: Account, warehouse: Path, select: Select, bad: Answer
) -> None:
    def broken_bugs(path: str, query: Query) -> Answer:
        return bad if path == "/bugs" else account(path, query)

    with serve(broken_bugs) as sandbox:
        report = pipeline.load(warehouse, Customer("acme", 7, "sandbox", sandbox.url))
    assert len(report.problems) == 1
    assert "11 more" in report.problems[0]
    assert {row.endpoint: row.incomplete for row in report.endpoints if row.incomplete} == {
        "bugs": 12
    }
    assert count(select, "tests") == 12
    assert select(
        "select count(*) from testio_raw.ledger where endpoint = 'bugs' and is_complete"
    ) == [(0,)]


def test_now_and_then_a_failing_call_loses_nothing(
    account: Account, warehouse: Path, select: Select
) -> None:
    calls = iter(range(1_000_000))

    def flaky(path: str, query: Query) -> Answer:
        number = next(calls)
        if number % 10 == 3:
            raise ConnectionError
        return Answer(503) if number % 10 == 7 else account(path, query)

    with serve(flaky) as sandbox:
        report = pipeline.load(warehouse, Customer("acme", 7, "sandbox", sandbox.url))
    assert not report.problems
    assert count(select, "bugs") == account.truth().bugs
    assert select("select sum(tries) > sum(requests) from testio_raw.ledger") == [(True,)]


def test_rows_of_a_load_that_never_completed_are_taken_back(
    load: Load, select: Select, account: Account, warehouse: Path
) -> None:
    load()
    bug_id = select("select min(id) from testio_raw.bugs")[0][0]
    account.change("bugs", bug_id, title="Landed by half a load")
    load()
    with duckdb.connect(str(warehouse)) as connection:  # as if killed before the end, files lost
        connection.execute(
            "delete from testio_raw._dlt_loads "
            "where inserted_at = (select max(inserted_at) from testio_raw._dlt_loads)"
        )
    report = load()
    assert {row.endpoint: row.versions for row in report.endpoints}["bugs"] == 1
    open_versions = (
        f"select count(*) from testio_raw.bugs where id = {bug_id} and _dlt_valid_to is null"
    )
    assert select(open_versions) == [(1,)]


def test_drop_leaves_nothing_of_ours_and_all_of_others(
    load: Load, select: Select, warehouse: Path
) -> None:
    load()
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema theirs; create table theirs.numbers as select 1 as one")
    pipeline.drop(warehouse)
    schemas = {name for (name,) in select("select schema_name from duckdb_schemas()")}
    assert not {name for name in schemas if name.startswith("testio")}
    assert select("select * from theirs.numbers") == [(1,)]
    assert not load().problems
    assert count(select, "tests") == 12


def test_the_second_load_names_the_first(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    with (
        warehouse.locked(path),
        pytest.raises(warehouse.WarehouseBusy, match=r"process [0-9]+"),
        warehouse.locked(path),
    ):
        pytest.fail("two loads at once")


def test_the_file_opens_in_older_clients(load: Load, select: Select) -> None:
    load()
    tags = select("select tags from duckdb_databases() where database_name = 'warehouse'")
    assert "v1.0.0" in str(tags)
