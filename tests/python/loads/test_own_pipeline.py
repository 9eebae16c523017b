"""The source in a dlt pipeline of somebody's own: a plain script gets all that the commands do."""

import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import dlt
import pyarrow as pa
import pytest
from commands import DATA_ONLY, PROJECT, run, run_dbt
from dlt.pipeline.exceptions import PipelineStepFailed

from testio_loader import raise_if_incomplete, testio
from testio_loader.commands.process import DLT_SETTINGS
from testio_loader.errors import IncompleteLoadError
from testio_sandbox import Account, Answer, Query, serve

_README = (PROJECT / "README.md").read_text()
_TOKEN = "token-of-acme-29f1"


class Counted:
    """An account that counts what is asked for; the bugs of a test may be out of order."""

    def __init__(self, tests: int = 220) -> None:
        self._account = Account(products=2, tests=tests, bugs=300)
        self.calls: Counter[str] = Counter()
        self.is_broken = False

    def __call__(self, path: str, query: Query) -> Answer:
        self.calls[path.strip("/").split("/")[0]] += 1
        if self.is_broken and path == "/bugs":
            return Answer(500, {})
        return self._account(path, query)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counted]:
    """Served, configured, and read without anything that the command line sets."""
    counted = Counted()
    monkeypatch.setenv("RUNTIME__REQUEST_MAX_ATTEMPTS", "1")
    for name in DLT_SETTINGS.keys() - {"RUNTIME__DLTHUB_TELEMETRY"}:
        monkeypatch.delenv(name)
    with serve({_TOKEN: counted}) as sandbox:
        monkeypatch.setenv("SOURCES__TESTIO__API_TOKEN", _TOKEN)
        monkeypatch.setenv("SOURCES__TESTIO__CUSTOMER_ID", "7")
        monkeypatch.setenv("SOURCES__TESTIO__BASE_URL", sandbox.url)
        yield counted


@pytest.fixture
def pipeline(tmp_path: Path) -> dlt.Pipeline:
    return _pipeline(tmp_path)


def _pipeline(tmp_path: Path) -> dlt.Pipeline:
    return dlt.pipeline(
        "mine",
        destination=dlt.destinations.duckdb(str(tmp_path / "warehouse.duckdb")),
        dataset_name="testio_raw",
        pipelines_dir=str(tmp_path / "pipelines"),
    )


def test_commands_and_dbt_go_on_with_what_the_script_in_the_readme_has_landed(
    account: Counted, pipeline: dlt.Pipeline, warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (script,) = re.findall(r"```python\n(import dlt.+?)```", _README, re.DOTALL)
    monkeypatch.setenv("DLT_DATA_DIR", str(warehouse.parent))
    exec(script)
    printed = run("status").output
    assert "incomplete: nothing" in printed
    assert " 0 versions" not in printed
    versions = _versions(pipeline)
    run("load")
    assert _versions(pipeline) == versions
    run_dbt(warehouse, "build", *DATA_ONLY)


def test_the_next_run_reads_what_is_due(account: Counted, pipeline: dlt.Pipeline) -> None:
    pipeline.run(testio())
    first, versions = account.calls.total(), _versions(pipeline)
    account.calls.clear()
    pipeline.run(testio())
    raise_if_incomplete(pipeline)
    assert account.calls.total() < first / 2
    assert _versions(pipeline) == versions


def test_what_a_run_has_left_that_never_completed_is_landed_anew(
    account: Counted, pipeline: dlt.Pipeline, tmp_path: Path
) -> None:
    """A container that is gone has taken dlt's working folder along."""
    pipeline.run(testio())
    versions = _versions(pipeline)
    with pipeline.sql_client() as client:
        client.execute_sql("delete from _dlt_loads")
    shutil.rmtree(tmp_path / "pipelines")
    pipeline = _pipeline(tmp_path)
    pipeline.run(testio())
    raise_if_incomplete(pipeline)
    assert _versions(pipeline) == versions
    with pipeline.sql_client() as client:
        loads = client.execute_sql("select load_id from _dlt_loads")
        assert client.execute_sql("select distinct _dlt_load_id from bugs") == loads


def test_rows_of_a_version_without_record_keys_get_theirs(
    account: Counted, pipeline: dlt.Pipeline
) -> None:
    pipeline.run(testio())
    versions = _versions(pipeline)
    with pipeline.sql_client() as client:
        client.execute_sql("update bugs set record_key = null")
    pipeline.run(testio())
    assert _versions(pipeline) == versions
    with pipeline.sql_client() as client:
        (missing,) = client.execute_sql("select count(*) from bugs where record_key is null")
        assert missing == (0,)


def test_a_selection_asks_for_what_it_needs_and_says_what_is_complete(
    account: Counted, pipeline: dlt.Pipeline
) -> None:
    pipeline.run(testio().with_resources("bugs"))
    raise_if_incomplete(pipeline)
    assert account.calls.keys() == {"products", "bugs"}
    assert _scopes(pipeline) == {"products": 1, "tests": 2, "bugs": 220}
    assert len(pipeline.dataset().bugs.fetchall()) == 300
    bugs = account.calls["bugs"]
    pipeline.run(testio().with_resources("bugs"))
    assert account.calls["bugs"] - bugs < bugs
    pipeline.run(testio())  # of what else belongs to tests nothing was read
    assert _scopes(pipeline)["executions"] == 221


def test_what_a_selection_needs_cannot_be_left_out(
    account: Counted, pipeline: dlt.Pipeline
) -> None:
    source = testio()
    source.resources["tests"].selected = False
    with pytest.raises(PipelineStepFailed) as failure:
        pipeline.run(source)
    assert "tests cannot be left out" in str(failure.value)
    assert account.calls.total() == 0


def test_a_script_learns_what_is_incomplete(account: Counted, pipeline: dlt.Pipeline) -> None:
    account.is_broken = True
    pipeline.run(testio())
    with pytest.raises(IncompleteLoadError, match=r"bugs of test .*HTTP 500") as error:
        raise_if_incomplete(pipeline)
    assert error.value.problems
    account.is_broken = False
    pipeline.run(testio())
    raise_if_incomplete(pipeline)


def test_nothing_else_in_the_process_changes(
    account: Counted, pipeline: dlt.Pipeline, tmp_path: Path
) -> None:
    environment, pool = dict(os.environ), pa.default_memory_pool().backend_name
    other = dlt.pipeline("other", destination="duckdb", pipelines_dir=str(tmp_path / "pipelines"))
    configured = dict(other.config)
    pipeline.run(testio())
    assert dict(os.environ) == environment
    assert pa.default_memory_pool().backend_name == pool
    other.activate()
    again = dlt.pipeline("other", destination="duckdb", pipelines_dir=str(tmp_path / "pipelines"))
    assert dict(again.config) == configured


def test_no_working_file_of_dlt_has_the_token(
    account: Counted, pipeline: dlt.Pipeline, tmp_path: Path
) -> None:
    pipeline.run(testio())
    assert pipeline.last_trace.last_load_info
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert any(file.name == "trace.pickle" for file in files)
    assert [file for file in files if _TOKEN.encode() in file.read_bytes()] == []


def test_rows_can_be_looked_at_without_a_pipeline(account: Counted) -> None:
    (products,) = [rows for rows in testio().products if rows.num_rows]
    assert products.num_rows == 2


def test_a_merge_into_duckdb_is_a_transaction(account: Counted, pipeline: dlt.Pipeline) -> None:
    """Without transactions, dlt leaves a table without rows if a merge fails half-way."""
    pipeline.run(testio())
    assert pipeline.destination.capabilities().supports_transactions


def test_a_destination_that_keeps_no_versions_is_refused(account: Counted, tmp_path: Path) -> None:
    pipeline = dlt.pipeline(
        "mine",
        destination=dlt.destinations.filesystem(str(tmp_path / "files")),
        dataset_name="testio_raw",
        pipelines_dir=str(tmp_path / "pipelines"),
    )
    with pytest.raises(PipelineStepFailed, match="use duckdb or postgres"):
        pipeline.run(testio())
    assert account.calls.total() == 0


def _scopes(pipeline: dlt.Pipeline) -> dict[str, int]:
    with pipeline.sql_client() as client:
        return dict(
            client.execute_sql(
                "select endpoint, count(distinct (product_id, test_id)) from ledger group by all"
            )
        )


def _versions(pipeline: dlt.Pipeline) -> dict[str, int]:
    tables = ("products", "tests", "bugs", "executions", "features")
    with pipeline.sql_client() as client:
        return {
            table: client.execute_sql(f"select count(*) from {table}")[0][0] for table in tables
        }
