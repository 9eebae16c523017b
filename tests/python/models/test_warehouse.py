"""From the API to fct_bugs: the warehouse says what the sandbox says, and follows its changes."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import DATA_ONLY, PROJECT
from conftest import Dbt

from testio_loader.customers import Customer
from testio_loader.land import pipeline
from testio_loader.warehouses.duckdb_file import DuckDbFile
from testio_sandbox import TOKEN, Account, serve

Select = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def account() -> Account:
    return Account(products=6, tests=60, bugs=600)


def one(select: Select, sql: str) -> Any:
    return select(sql)[0][0]


def question(number: int) -> str:
    """Return the SQL of a question."""
    text = (PROJECT / "docs" / "questions.md").read_text().partition(f"## {number}. ")[2]
    return text.partition("```sql")[2].partition("```")[0]


def test_the_warehouse_agrees_with_the_sandbox_on_every_count(
    account: Account, load: Callable[..., Any], dbt: Dbt, select: Select
) -> None:
    load()
    dbt("build")
    truth = account.truth()
    members = "select count(*) from testio_marts.{} where not is_placeholder"
    assert one(select, members.format("dim_products")) == truth.products
    assert one(select, members.format("dim_features")) == truth.features
    assert one(select, members.format("dim_tests")) == truth.tests
    assert one(select, "select count(*) from testio_marts.fct_bugs") == truth.bugs
    by_status = select("select status, count(*) from testio_marts.fct_bugs group by status")
    assert Counter(dict(by_status)) == truth.bugs_by_status
    for flag, status in (
        ("is_accepted", "accepted"),
        ("is_auto_accepted", "auto_accepted"),
        ("is_rejected", "rejected"),
        ("is_open", "forwarded"),
    ):
        count = one(select, f"select count(*) from testio_marts.fct_bugs where {flag}")
        assert (flag, count) == (flag, truth.bugs_by_status[status])
    for name in (
        "user_stories",
        "test_environments",
        "test_templates",
        "test_details",
        "executions",
        "test_case_tests",
        "test_case_results",
    ):
        count = one(select, f"select count(*) from testio_staging.stg_{name}")
        assert (name, count) == (name, getattr(truth, name))
    by_status = select("select status, count(*) from testio_staging.stg_executions group by status")
    assert Counter(dict(by_status)) == truth.executions_by_status
    for audit in ("deleted_records", "incomplete_scopes", "unfit_values", "unreconciled"):
        assert select(f"select * from testio_audit.audit_{audit}") == []
    by_severity = select("select severity, count(*) from testio_marts.fct_bugs group by severity")
    assert Counter(dict(by_severity)) == truth.bugs_by_severity
    by_feature = select(
        "select feature_id, sum(bug_count) from testio_marts.fct_test_features "
        "where bug_count > 0 group by feature_id"
    )
    assert Counter(dict(by_feature)) == truth.bugs_by_feature
    executed = "select count(*) from testio_marts.test_quality"
    assert one(select, executed) == truth.executed_tests
    listed = members + " and not is_inferred and not is_deleted"
    assert one(select, listed.format("dim_user_stories")) == truth.user_stories
    assert one(select, listed.format("dim_test_environments")) == truth.test_environments
    results = "select count(*) from testio_marts.fct_test_case_results"
    assert one(select, results) == truth.test_case_results
    for column, counted in (
        ("status", truth.executions_by_status),
        ("user_story_id", truth.executions_by_story),
    ):
        sql = f"select {column}, count(*) from testio_marts.fct_executions group by {column}"
        assert Counter(dict(select(sql))) == counted
    printed = dbt("run-operation", "summary").partition("Most fragile features")[2]
    rows = [line.split("|")[1:-1] for line in printed.splitlines() if line.startswith("| ")]
    fragile = [(row[0].strip(), row[1].strip(), float(row[-1])) for row in rows[2:]]
    assert fragile == [
        (title, product, round(bugs_per_test, 2))
        for title, product, bugs_per_test, _ in select(question(1))
    ]
    dbt("source", "freshness")


def test_statuses_of_features_and_user_stories_are_those_that_the_api_gives(
    load: Callable[..., Any], dbt: Dbt, select: Select
) -> None:
    load()
    dbt("run", "--select", "+fct_test_features")
    for ours, theirs in (
        ("testio_marts.fct_test_features", "testio_staging.stg_test_feature_results"),
        ("testio_intermediate.int_test_user_stories", "testio_staging.stg_user_story_results"),
    ):
        key = "user_story_version_id" if "stories" in ours else "test_feature_id"
        statuses = select(
            f"select theirs.execution_status, ours.execution_status from {ours} as ours "
            f"inner join {theirs} as theirs using (customer_id, {key})"
        )
        assert {theirs for theirs, _ in statuses} == {"passed", "failed", "blocked", "not_tested"}
        assert all(theirs == ours for theirs, ours in statuses)


@pytest.mark.slow
def test_a_second_load_without_changes_gives_the_same_marts(
    load: Callable[..., Any], dbt: Dbt, select: Select
) -> None:
    fingerprints = []
    for _ in range(2):
        load()
        dbt("run")
        marts = select(
            "select table_name from information_schema.tables "
            "where table_schema = 'testio_marts' order by 1"
        )
        assert len(marts) > 20
        fingerprints.append(
            [select(f"select * from testio_marts.{mart} order by all") for (mart,) in marts]
        )
    assert fingerprints[0] == fingerprints[1]


@pytest.mark.slow
def test_what_happens_to_a_bug_over_some_days_is_told(
    account: Account, load: Callable[..., Any], dbt: Dbt, select: Select
) -> None:
    load()
    (open_bug,), (gone_bug,) = select(
        'select id from testio_raw.bugs where payload like \'%"status":"forwarded"%\' '
        "order by id limit 2"
    )
    for status, severity in (("rejected", "high"), ("forwarded", "high"), ("accepted", "low")):
        account.change("bugs", open_bug, status=status, severity=severity)
        load()
    account.remove("bugs", gone_bug)
    account.change("bugs", open_bug, known=True)
    load()
    dbt("build", *DATA_ONLY)
    changes = select(
        "select to_value, last_seen_before_at < first_seen_after_at "
        f"from testio_marts.fct_bug_status_changes where bug_id = {open_bug} "
        "and changed_field = 'status' order by version_number"
    )
    assert changes == [("rejected", True), ("forwarded", True), ("accepted", True)]
    assert select(
        "select status_change_count, is_known, bugs.first_triaged_at = ("
        "  select min(first_seen_after_at) from testio_marts.fct_bug_status_changes as changes"
        "  where changes.bug_id = bugs.bug_id and to_value = 'rejected') "
        f"from testio_marts.fct_bugs as bugs where bug_id = {open_bug}"
    ) == [(3, True, True)]
    assert select(
        "select bug_id, status, last_seen_at < first_missed_at from testio_marts.fct_deleted_bugs"
    ) == [(gone_bug, "forwarded", True)]


@pytest.mark.slow
def test_the_time_zone_of_the_machine_changes_nothing(
    load: Callable[..., Any], dbt: Dbt, select: Select, monkeypatch: pytest.MonkeyPatch
) -> None:
    load()
    fingerprints = []
    marts = ("product_quality", "dim_dates", "fct_bugs", "fct_executions")
    for zone in ("Pacific/Kiritimati", "America/Los_Angeles"):
        monkeypatch.setenv("TZ", zone)
        dbt("run", "--select", *(f"+{mart}" for mart in marts))
        fingerprints.append(
            [select(f"select * from testio_marts.{mart} order by all") for mart in marts]
        )
    assert fingerprints[0] == fingerprints[1]


@pytest.mark.slow
def test_changes_and_deletions_arrive(
    account: Account, load: Callable[..., Any], dbt: Dbt, select: Select
) -> None:
    load()
    dbt("run", "--select", "+dim_products", "+dim_features", "+fct_bugs")
    product_id, feature_id = select(
        "select min(product_id), min(feature_id) from testio_marts.dim_features "
        "where product_id = (select min(product_id) from testio_marts.dim_products)"
    )[0]
    gone_bug, changed_bug = (
        id_ for (id_,) in select("select bug_id from testio_marts.fct_bugs order by bug_id limit 2")
    )
    test = {
        "id": 990_001,
        "title": "Recording",
        "status": "running",
        "testing_type": "rapid",
        "product": {"id": product_id},
        "features": [
            {
                "id": 1_042_409,
                "feature_id": feature_id,
                "title": "[Presentations] Recording",
                "user_stories": ["Start a recording", "Stop it"],
            }
        ],
    }
    account.add("tests", test)
    for bug_id, test_feature in ((880_001, {"id": 1_042_409}), (880_002, None)):
        bug = {"id": bug_id, "title": "Crash", "status": "forwarded", "severity": "high"}
        account.add("bugs", {**bug, "test": {"id": 990_001}, "test_feature": test_feature})
    account.remove("bugs", gone_bug)
    account.change("bugs", changed_bug, status="rejected", auto_accepted=False)
    account.remove("features", feature_id)
    load()
    dbt(
        "run",
        "--select",
        "+dim_features",
        "+fct_bugs",
        "+audit_deleted_records",
        "+audit_unreconciled",
    )
    assert select(
        "select bug_id, test_feature_id, feature_id from testio_marts.fct_bugs "
        "where bug_id in (880001, 880002) order by bug_id"
    ) == [(880_001, 1_042_409, feature_id), (880_002, None, None)]
    assert select(f"select 1 from testio_marts.fct_bugs where bug_id = {gone_bug}") == []
    assert (
        one(select, f"select status from testio_marts.fct_bugs where bug_id = {changed_bug}")
        == "rejected"
    )
    assert select("select feature_id from testio_marts.dim_features where is_deleted") == [
        (feature_id,)
    ]
    assert select(
        "select endpoint, record_id, last_seen_at < first_missed_at "
        "from testio_audit.audit_deleted_records where endpoint in ('bugs', 'features') order by 1"
    ) == [("bugs", gone_bug, True), ("features", feature_id, True)]
    assert select("select * from testio_audit.audit_unreconciled") == []

    account.change("tests", 990_001, features=[{**test["features"][0], "title": "Updated Title"}])
    load(test_ids=[990_001])
    dbt("build", *DATA_ONLY)
    assert select(
        "select title, user_stories from testio_staging.stg_test_features "
        "where test_feature_id = 1042409"
    ) == [("Updated Title", '["Start a recording","Stop it"]')]


@pytest.mark.slow
def test_two_customers_with_the_same_ids_stay_apart(
    warehouse: Path, dbt: Dbt, select: Select
) -> None:
    accounts = {TOKEN: Account(tests=12, bugs=60), "other": Account(tests=12, bugs=60, seed=2)}
    with serve(accounts) as sandbox:
        for customer_id, token in enumerate(accounts, 1):
            customer = Customer(token, customer_id, token, sandbox.url)
            assert not pipeline.load(DuckDbFile(warehouse), customer).problems
    dbt("build", *DATA_ONLY)
    bugs = select("select customer_id, count(*) from testio_marts.fct_bugs group by 1 order by 1")
    assert bugs == [
        (number, account.truth().bugs) for number, account in enumerate(accounts.values(), 1)
    ]
    for number, account in enumerate(accounts.values(), 1):
        truth = account.truth()
        for mart, count in (
            ("fct_executions", truth.executions),
            ("fct_test_features", truth.test_features),
            ("fct_test_case_results", truth.test_case_results),
            ("test_quality", truth.executed_tests),
            ("feature_quality", truth.features),
        ):
            of_customer = f"select count(*) from testio_marts.{mart} where customer_id = {number}"
            assert one(select, of_customer) == count, mart


@pytest.mark.slow
def test_an_account_without_anything_builds(warehouse: Path, dbt: Dbt) -> None:
    def empty(path: str, query: Any) -> Any:
        from testio_sandbox import Answer

        return Answer(200, {path.rsplit("/", 1)[-1]: []})

    with serve(empty) as sandbox:
        assert not pipeline.load(
            DuckDbFile(warehouse), Customer("new", 1, TOKEN, sandbox.url)
        ).problems
    dbt("build", *DATA_ONLY)


@pytest.mark.usefixtures("loaded")
def test_a_mart_has_its_key_and_no_index_of_another_engine(dbt: Dbt, select: Select) -> None:
    dbt("run", "--select", "+dim_products")
    assert select(
        "select has_primary_key, (select count(*) from duckdb_indexes()) from duckdb_tables()"
        " where table_name = 'dim_products'"
    ) == [(True, 0)]


@pytest.mark.slow
def test_what_was_made_can_be_taken_away_again(
    load: Callable[..., Any], dbt: Dbt, select: Select, warehouse: Path
) -> None:
    import duckdb

    load()
    dbt("run")
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema theirs; create table theirs.numbers as select 1 as one")
        connection.execute("create table testio_marts.their_own as select 1 as one")
    assert "Would drop" in dbt("run-operation", "drop_models")
    assert one(select, "select count(*) from testio_marts.fct_bugs") > 0
    dbt("run-operation", "drop_models", "--args", "{confirm: true}")
    pipeline.drop(DuckDbFile(warehouse))
    assert select(
        "select table_schema, table_name from information_schema.tables order by 1, 2"
    ) == [("testio_marts", "their_own"), ("theirs", "numbers")]
    load()
    dbt("run", "--select", "+dim_products")
    assert one(select, "select count(*) from testio_marts.dim_products") > 0


@pytest.fixture(autouse=True)
def _no_leftovers_in_the_project() -> Iterator[None]:
    before = set(PROJECT.iterdir())
    yield
    assert {path.name for path in set(PROJECT.iterdir()) - before} <= {".user.yml"}
