"""A load lands what the API gives: all of it, once, without credentials."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from testio_loader.api.endpoints import ENDPOINTS
from testio_loader.customers import Customer
from testio_loader.errors import WarehouseBusyError
from testio_loader.land import pipeline
from testio_loader.warehouses.duckdb_file import DuckDbFile
from testio_sandbox import Account, Answer, Query, serve

Load = Callable[..., pipeline.LoadReport]
Select = Callable[[str], list[tuple[Any, ...]]]

VERSIONED = tuple(endpoint.name for endpoint in ENDPOINTS)


def count(select: Select, table: str) -> int:
    return int(select(f"select count(*) from testio_raw.{table}")[0][0])


def test_everything_the_account_holds_lands(load: Load, select: Select, account: Account) -> None:
    report = load()
    truth = account.truth()
    assert not report.problems
    landed = {table: count(select, table) for table in VERSIONED if table != "user_stories"}
    assert landed == {table: getattr(truth, table) for table in landed}
    assert "user_stories" in VERSIONED  # those of the catalogue, to which the truth adds others
    assert 0 < count(select, "user_stories") <= truth.user_stories


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
    assert {name: count for name, count in new.items() if count} == {
        "bugs": 1,
        "tests": 1,
        "test_details": 1,
    }
    assert not new.keys() & {"products", "features", "user_stories"}


def test_an_unchanged_test_is_the_same_read_alone_or_in_a_list(load: Load, select: Select) -> None:
    load()
    ids = [id_ for (id_,) in select("select id from testio_raw.tests")]
    report = load(test_ids=ids)
    assert {row.endpoint: row.versions for row in report.endpoints if row.versions} == {}


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
    found = select(
        "select endpoint, count(*), bool_and(is_complete), "
        "sum(json_array_length(ids::json)) from testio_raw.ledger group by 1 order by 1"
    )
    a_product, a_test, cases = 3, 12, 2
    scopes = {"products": 1, "reject_reasons": 1, "features": a_product, "user_stories": a_product}
    scopes |= {"test_environments": a_product, "test_templates": a_product, "tests": a_product}
    scopes |= {"test_details": a_test, "bugs": a_test, "executions": a_test + 1}
    scopes |= {"test_case_tests": cases, "test_case_results": cases}
    assert found == [(name, scopes[name], True, count(select, name)) for name in sorted(scopes)]


def test_a_deleted_test_is_a_complete_read_of_nothing(
    load: Load, select: Select, account: Account
) -> None:
    load()
    ((test_id,),) = select("select id from testio_raw.tests limit 1")
    account.remove("tests", test_id)
    assert not load(test_ids=[test_id]).problems
    assert select(
        f"select endpoint, is_complete, ids from testio_raw.ledger where test_id = {test_id} "
        "and _dlt_load_id = (select max(load_id) from testio_raw._dlt_loads) order by endpoint"
    ) == [("test_details", True, "[]"), ("tests", True, "[]")]
    load()  # from now on, the list lacks it as well
    assert not load(test_ids=[test_id], is_full=True).problems


def test_a_test_that_nobody_knows_is_refused(load: Load, select: Select) -> None:
    load()
    before = select("select endpoint, ids from testio_raw.ledger order by all")
    with pytest.raises(pipeline.LoadError, match="test 99999999 is neither in this account nor"):
        load(test_ids=[99_999_999])
    assert select("select endpoint, ids from testio_raw.ledger order by all") == before


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
    assert report.problems == [f"bugs of test {parent}: 2 in quarantine without a key"]


def test_a_refused_token_is_said_in_one_line(warehouse: Path, customer: Customer) -> None:
    stranger = Customer("acme", 7, "wrong", customer.base_url)
    with pytest.raises(pipeline.LoadError, match="refuses the token") as failure:
        pipeline.load(DuckDbFile(warehouse), stranger)
    assert "wrong" not in str(failure.value)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize("what", ["account", "product", "test"])
def test_an_account_that_is_not_found_is_no_empty_one(
    load: Load, select: Select, warehouse: Path, customer: Customer, what: str
) -> None:
    load()
    (product_id, test_id) = select("select product_id, id from testio_raw.tests limit 1")[0]
    selection = pipeline.Selection(
        [product_id] if what == "product" else [], [test_id] if what == "test" else []
    )
    before = select("select endpoint, ids from testio_raw.ledger order by all")
    elsewhere = replace(customer, base_url=customer.base_url.replace("/v2", "/v3"))
    with pytest.raises(pipeline.LoadError, match="HTTP 404; check base_url"):
        pipeline.load(DuckDbFile(warehouse), elsewhere, selection)
    assert select("select endpoint, ids from testio_raw.ledger order by all") == before


def test_a_list_of_products_that_is_not_found_is_incomplete(
    select: Select, account: Account, warehouse: Path, customer: Customer
) -> None:
    def handle(path: str, query: Query) -> Answer:
        return Answer(404) if path == "/products" else account(path, query)

    with serve({customer.api_token: handle}) as sandbox:
        report = pipeline.load(DuckDbFile(warehouse), replace(customer, base_url=sandbox.url))
    assert any("HTTP 404" in problem for problem in report.problems)
    sql = "select is_complete from testio_raw.ledger where endpoint = 'products'"
    assert select(sql) == [(False,)]


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
    pipeline.drop(DuckDbFile(warehouse))
    schemas = {name for (name,) in select("select schema_name from duckdb_schemas()")}
    assert not {name for name in schemas if name.startswith("testio")}
    assert select("select * from theirs.numbers") == [(1,)]
    assert not load().problems
    assert count(select, "tests") == 12


def test_two_files_of_one_stem_share_nothing(tmp_path: Path) -> None:
    one, other = (DuckDbFile(tmp_path / name) for name in ("wh.duckdb", "wh.db"))
    with one.locked(), other.locked():
        assert one.working_directory != other.working_directory


def test_the_second_load_names_the_first(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    with (
        DuckDbFile(path).locked(),
        pytest.raises(WarehouseBusyError, match=r"process [0-9]+"),
        DuckDbFile(path).locked(),
    ):
        pytest.fail("two loads at once")


def test_the_file_opens_in_older_clients(load: Load, select: Select) -> None:
    load()
    tags = select("select tags from duckdb_databases() where database_name = 'warehouse'")
    assert "v1.0.0" in str(tags)


def test_texts_of_any_length_land_within_the_memory_that_a_load_may_use(warehouse: Path) -> None:
    # A row group of DuckDB, which keeps all texts up to 4 kB at once to compress them.
    texts = "select i as id, repeat(md5(i::varchar), 64) as payload from range(122880) as rows(i)"
    pipeline.settle(DuckDbFile(warehouse))
    with pipeline._pipeline(DuckDbFile(warehouse)).sql_client() as client:
        client.execute_sql(f"create table texts as {texts}")
        assert client.execute_sql("select count(*) from texts") == [(122_880,)]
