"""The commands as people use them: what they print, what they leave behind, how they end."""

import json
import os
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import Result
from commands import configure, kill_while_landing, reader_of, run, run_apart

from testio_loader.api.client import Client
from testio_loader.commands.report import print_load
from testio_loader.customers import Customer
from testio_loader.land import pipeline
from testio_loader.land.ledger import EndpointReport
from testio_loader.read import refresh_policy
from testio_loader.read.counts import Attribution
from testio_loader.warehouses.duckdb_file import DuckDbFile
from testio_sandbox import TOKEN, Account, Answer, Query, serve

Command = Callable[..., Result]
Select = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def testio(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command, configured for the sandbox."""
    monkeypatch.setenv("SOURCES__TESTIO__API_TOKEN", customer.api_token)
    monkeypatch.setenv("SOURCES__TESTIO__CUSTOMER_ID", str(customer.customer_id))
    monkeypatch.setenv("SOURCES__TESTIO__BASE_URL", customer.base_url)
    return run


@pytest.fixture(scope="session")
def _loaded_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("loaded") / "warehouse.duckdb"
    with serve(Account(products=3, tests=12, bugs=60)) as sandbox:
        pipeline.load(DuckDbFile(path), Customer("default", 7, TOKEN, sandbox.url))
    return path


@pytest.fixture
def loaded(testio: Command, warehouse: Path, _loaded_file: Path) -> Command:
    """Run a command on a warehouse that the account was loaded into."""
    shutil.copy(_loaded_file, warehouse)
    return testio


def count(select: Select, table: str) -> int:
    return int(select(f"select count(*) from testio_raw.{table}")[0][0])


# load


def test_the_report_fits_into_80_columns_and_adds_up(testio: Command, account: Account) -> None:
    _, _, heading, *rows, attribution = testio("load").stdout.splitlines()
    assert max(map(len, (heading, *rows))) <= 80
    assert heading.split()[1:4] == ["scopes", "incomplete", "calls"]
    assert "test_case_results" in str(rows)
    calls = [int(row.split()[3].replace(",", "")) for row in rows]
    assert calls[-1] == sum(calls[:-1])
    assert f" of {account.truth().bugs} bugs name a test feature that was read" in attribution


def test_the_report_of_a_large_account_is_not_cut_off(capsys: pytest.CaptureFixture[str]) -> None:
    row = EndpointReport("test_case_results", 120_000, 1_000, 4_567_890, 12_000, 4_567_890, 120_000)
    problems = [f"problem {number}" for number in range(30)]
    print_load(pipeline.LoadReport("acme", [row, row], problems, [], Attribution(100, 4, 2)))
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines()[:6])) <= 80
    assert "test_case_results 120,000" in printed
    assert "9,135,780" in printed
    assert "problem 19\nincomplete: 10 more\n" in printed
    assert "94 of 100 bugs name a test feature that was read: 4 name none, 2 name one" in printed


def test_bugs_that_are_not_attributed_are_told_apart(loaded: Command, select: Select) -> None:
    bugs, unnamed = select(
        "select count(*), count(*) - count(payload ->> '$.test_feature.id') from testio_raw.bugs"
    )[0]
    carried = "select unnest(payload ->> '$.features[*].id') from testio_raw.tests"
    ((unknown,),) = select(
        "select count(*) from (select payload ->> '$.test_feature.id' as id from testio_raw.bugs)"
        f" where id is not null and id not in ({carried})"
    )
    document = json.loads(loaded("load", "--json").stdout)
    (report,) = document["customers"]
    assert report["attribution"] == {"bugs": bugs, "unnamed": unnamed, "unknown": unknown}
    assert (report["customer"], document["failures"]) == ("default", {})


def test_attribution_works_for_a_single_test(loaded: Command, select: Select) -> None:
    test_id, bugs, named = select(
        "select test_id, count(*), count(payload -> '$.test_feature.id')"
        " from testio_raw.bugs group by 1 order by 3 desc limit 1"
    )[0]
    (report,) = json.loads(loaded("load", "--test", test_id, "--json").stdout)["customers"]
    attribution = report["attribution"]
    assert (attribution["bugs"], attribution["bugs"] - attribution["unnamed"]) == (bugs, named)
    assert attribution["unknown"] < named


def test_full_reads_settled_tests_again(loaded: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh_policy, "_SMALL_ACCOUNT", 0)
    monkeypatch.setenv("SOURCES__TESTIO__SETTLING_DAYS", "0")
    scopes = []
    for options in ([], ["--full"]):
        (report,) = json.loads(loaded("load", "--json", *options).stdout)["customers"]
        scopes.append({row["endpoint"]: row["scopes"] for row in report["endpoints"]})
    assert scopes[0]["bugs"] < scopes[1]["bugs"] == 12
    assert scopes[1]["test_details"] == 12


@pytest.mark.parametrize(
    "options",
    [
        "--product 1 --test 1",
        "--record a --replay b",
        "--dry-run --record a",
        "--dry-run --replay a",
    ],
)
def test_contradictions_are_wrong_usage(options: str) -> None:
    assert "not both" in run("load", *options.split(), status=2).stderr


def test_an_incomplete_load_ends_with_3_and_names_what_is_missing(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: str, query: Query) -> Answer:
        return Answer(500) if path == "/bugs/reject_reasons" else account(path, query)

    with serve(broken) as sandbox:
        configure(monkeypatch, sandbox.url, {"acme": TOKEN})
        done = run("load", status=3)
        assert "incomplete: reject_reasons: HTTP 500" in done.stdout
        assert "load again" in done.stderr
    done = run("status")
    assert "incomplete: customer 1, reject_reasons: HTTP 500" in done.stdout


# load --dry-run


def test_a_dry_run_lands_nothing_and_makes_no_file(testio: Command, warehouse: Path) -> None:
    done = testio("load", "--dry-run")
    assert re.search(r"bugs +12 +1\n", done.stdout)
    assert re.search(r"executions +13 +12\n", done.stdout)  # one of them asks how many there are
    assert re.search(r"all +[0-9]+ +[0-9]+\n", done.stdout)
    assert list(warehouse.parent.iterdir()) == []


def test_a_dry_run_says_what_the_next_load_reads(loaded: Command, select: Select) -> None:
    before = count(select, "ledger")
    plan = json.loads(loaded("load", "--dry-run", "--json").stdout)["customers"][0]
    assert count(select, "ledger") == before
    (report,) = json.loads(loaded("load", "--json").stdout)["customers"]
    assert {row["endpoint"]: row["scopes"] for row in plan["endpoints"]} == {
        row["endpoint"]: row["scopes"] for row in report["endpoints"]
    }


def test_a_dry_run_needs_no_warehouse_to_write_to(
    loaded: Command, warehouse: Path, select: Select
) -> None:
    with duckdb.connect(str(warehouse), read_only=True):
        loaded("load", "--dry-run")


def test_a_dry_run_with_a_refused_token_fails(
    testio: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__TESTIO__API_TOKEN", "wrong")
    assert "refuses the token" in testio("load", "--dry-run", status=1).stderr


def test_a_load_behind_one_whose_clock_was_wrong_is_refused_until_that_is_erased(
    testio: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as wrong:
        wrong.setattr(Client, "now", lambda _: datetime(2125, 3, 1, 12, tzinfo=UTC))
        testio("load")
    for arguments in (["load"], ["load", "--dry-run"]):
        done = testio(*arguments, status=1)
        assert "dated 2125-03-01 12:00 (UTC), which is in the future" in done.stderr
        assert "`testio-loader erase --customer 7`" in done.stderr
        assert done.stderr.count("\n") == 1
    testio("erase", "--customer", "7", "--yes")
    testio("load")


def test_clocks_may_differ_a_little(testio: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as fast:
        fast.setattr(Client, "now", lambda _: datetime.now(UTC) + timedelta(minutes=59))
        testio("load")
    testio("load")


# load --record and --replay


def test_what_is_replayed_is_what_was_recorded(
    testio: Command, select: Select, warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    testio("load", "--record", "archive")
    tables = ("bugs", "tests", "test_details", "executions", "features")
    queries = [
        f"select * exclude (_dlt_load_id, _dlt_valid_from) from testio_raw.{table} order by all"
        for table in tables
    ]
    recorded = [select(query) for query in queries]
    warehouse.unlink()
    for name in ("API_TOKEN", "BASE_URL"):
        monkeypatch.delenv(f"SOURCES__TESTIO__{name}")
    run("load", "--replay", "archive")
    assert [select(query) for query in queries] == recorded
    (report,) = json.loads(run("load", "--replay", "archive", "--json").stdout)["customers"]
    assert sum(row["versions"] for row in report["endpoints"]) == 0


def test_an_archive_has_no_credentials_and_is_not_written_over(testio: Command) -> None:
    testio("load", "--record", "archive")
    texts = [file.read_text() for file in Path("archive").rglob("*.json")]
    assert any("[redacted]" in text for text in texts)
    assert not any("s3cr3t" in text for text in texts)
    assert "is not empty" in testio("load", "--record", "archive", status=1).stderr
    assert "is not an archive" in testio("load", "--replay", "archive/default", status=2).stderr
    assert (
        "does not contain acme"
        in testio("load", "--replay", "archive", "--customer", "acme", status=2).stderr
    )


def test_replaying_a_folder_that_is_no_archive_is_told_in_one_line(customer: Customer) -> None:
    Path("empty").mkdir()
    for folder in ("nowhere", "empty"):
        message = run("load", "--replay", folder, status=2).stderr
        assert message.count("\n") == 1
        assert f"{folder} is not an archive" in message


def test_an_archive_of_a_time_to_come_is_refused(testio: Command, warehouse: Path) -> None:
    testio("load", "--record", "archive")
    warehouse.unlink()
    Path("archive/default/recorded_at.txt").write_text("2125-03-01T12:00:00+00:00")
    done = testio("load", "--replay", "archive", status=1)
    assert "recorded_at.txt says 2125-03-01 12:00 (UTC), which is in the future" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("option", ["--record", "--replay"])
def test_a_folder_without_a_name_is_wrong_usage(
    option: str, testio: Command, warehouse: Path
) -> None:
    assert "name a folder, or leave the option out" in testio("load", option, "", status=2).stderr
    assert not warehouse.exists()


# check


def test_check_is_fine_before_a_load_and_makes_no_file(testio: Command, warehouse: Path) -> None:
    text = testio("check").stdout
    assert "will be created" in text
    assert "not ok" not in text
    assert list(warehouse.parent.iterdir()) == []


def test_check_is_fine_after_a_load(loaded: Command) -> None:
    text = loaded("check").stdout
    assert "3 products, 12 tests so far" in text
    assert "storage version: v1.0.0" in text
    assert "not ok" not in text


def test_check_tells_a_refused_token(testio: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCES__TESTIO__API_TOKEN", "wr0ng")
    done = testio("check", status=1)
    assert re.search("^not ok .*refuses the token", done.stdout, re.M)
    assert "wr0ng" not in done.output


def test_check_tells_what_to_configure() -> None:
    assert re.search("^not ok +configuration: no API token", run("check", status=1).stdout, re.M)


@pytest.mark.parametrize(
    "url", ["api.test.io/customer/v2", "ftp://api.test.io", "https:", "http://a b", "http://[::1"]
)
def test_check_tells_a_url_that_is_none(
    testio: Command, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("SOURCES__TESTIO__BASE_URL", url)
    done = testio("check", status=1)
    assert re.search(f"^not ok .*: base_url {re.escape(url)} is not a URL", done.stdout, re.M)


def test_check_tells_configuration_that_cannot_be_read() -> None:
    Path(".dlt").mkdir()
    Path(".dlt/secrets.toml").write_text('[sources.testio]\napi_token = "s3cr3t\n')
    printed = run_apart("check", status=1)
    assert printed.startswith("not ok  configuration: ")
    assert "s3cr3t" not in printed
    assert "Traceback" not in printed


def test_check_names_a_load_under_way(testio: Command, warehouse: Path) -> None:
    with DuckDbFile(warehouse).locked():
        done = testio("check", status=1)
    assert f"is being loaded by process {os.getpid()}" in done.stdout


def test_check_names_a_reader_that_holds_the_file(loaded: Command, warehouse: Path) -> None:
    with reader_of(warehouse) as process_id:
        assert f"(PID {process_id})" in loaded("check", status=1).stdout


def test_check_tells_an_interrupted_load_and_a_file_of_another_version(
    testio: Command, warehouse: Path
) -> None:
    kill_while_landing("load")
    done = testio("check", status=1)
    assert re.search("^not ok +interrupted load", done.stdout, re.M)
    warehouse.unlink()
    duckdb.connect(str(warehouse)).close()
    assert re.search("^not ok +storage version: v2", testio("check", status=1).stdout, re.M)


# status


def test_status_shows_loads_and_customers(loaded: Command) -> None:
    text = loaded("status").stdout
    assert text.count("default (7)") == 2
    assert max(map(len, text.splitlines())) <= 80
    document = json.loads(loaded("status", "--json").stdout)
    assert [load["customer_id"] for load in document["loads"]] == [7]
    assert document["customers"][0]["tests"] == 12


def test_status_shows_what_is_in_quarantine(testio: Command, account: Account) -> None:
    account.add("products", {"name": "no id"})
    testio("load", status=3)
    assert "quarantined: products: no id: 1" in testio("status").stdout


def test_status_says_that_there_is_no_warehouse_or_no_load(warehouse: Path) -> None:
    assert "no raw data in" in run("status", status=1).stderr
    assert not warehouse.exists()
    duckdb.connect(str(warehouse)).close()
    assert "no load has landed" in run("status", status=1).stderr


def test_status_does_not_need_to_write(loaded: Command, warehouse: Path) -> None:
    with duckdb.connect(str(warehouse), read_only=True):
        loaded("status")
