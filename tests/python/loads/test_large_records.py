"""Records of any size land, or are put aside with their size, whatever else there is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from conftest import CUSTOMER_ID
from engines import Postgres

from testio_loader.customers import Customer
from testio_loader.land import pipeline
from testio_loader.land.copying import _cut
from testio_loader.warehouses.duckdb_file import DuckDbFile
from testio_sandbox import TOKEN, Answer, Handler, Query, serve

Select = Callable[[str], list[tuple[Any, ...]]]


def account(*sizes: int) -> Handler:
    """Serve an account of one test whose bugs have comments of so many bytes."""
    test = {"id": 1, "status": "running", "testing_type": "rapid", "product": {"id": 1}}
    words = "".join(f"word {number} " for number in range(200_000))
    bugs = [
        {
            "id": id_,
            "title": f"bug {id_}",
            "test": {"id": 1},
            "comments": [{"id": id_, "body": (words * (size // len(words) + 1))[:size]}],
        }
        for id_, size in enumerate(sizes, 1)
    ]
    answers = {
        "/products": {"products": [{"id": 1, "name": "p"}]},
        "/bugs/reject_reasons": {"reject_reasons": []},
        "/exploratory_tests/1": {"exploratory_test": test},
        "/bugs": {"bugs": bugs},
    }

    def handle(path: str, query: Query) -> Answer:
        if path == "/products/1/exploratory_tests":
            return Answer(body={"exploratory_tests": [test] if query["page"] == ["1"] else []})
        return Answer(body=answers[path]) if path in answers else Answer(404)

    return handle


def load(handler: Handler, path: Path) -> pipeline.LoadReport:
    with serve(handler) as sandbox:
        customer = Customer("acme", CUSTOMER_ID, TOKEN, sandbox.url)
        return pipeline.load(DuckDbFile(path), customer)


@pytest.mark.parametrize(
    "sizes",
    [[40_000_000], [500_000] * 200, [60_000] * 1_000],
    ids=["one of 40 MB", "200 of 0.5 MB", "1,000 of 60 kB"],
)
def test_large_records_land(sizes: list[int], warehouse: Path, select: Select) -> None:
    """Issue 15, row 2."""
    report = load(account(*sizes), warehouse)
    assert not report.problems
    landed = select("select id, strlen(payload) from testio_raw.bugs order by id")
    assert [id_ for id_, _ in landed] == list(range(1, len(sizes) + 1))
    assert all(size < length < size + 200 for size, (_, length) in zip(sizes, landed, strict=True))


def test_a_record_that_is_too_large_is_put_aside_with_its_size(
    warehouse: Path, select: Select, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 15, row 2: the rest lands, nothing counts as deleted, and it can be found."""
    load(account(10, 10), warehouse)
    monkeypatch.setenv("SOURCES__TESTIO__MAX_RECORD_MB", "0.1")
    report = load(account(10, 200_000, 10), warehouse)
    assert report.problems == [
        "bugs of test 1: 1 in quarantine because larger than max_record_mb (0.1 MB)"
    ]
    assert {row.endpoint: row.quarantined for row in report.endpoints}["bugs"] == 1
    assert select("select id, count(*) from testio_raw.bugs group by id order by id") == [
        (1, 1),
        (2, 1),
        (3, 1),
    ]
    ((reason, original),) = select("select reason, original from testio_raw.quarantine")
    kept = json.loads(original)
    assert reason == "too large to land: 0.2 MB"
    assert kept["id"] == 2
    assert kept["bytes"] == pytest.approx(200_000, abs=200)
    assert kept["bytes_by_member"].keys() == {"comments", "id", "test", "title"}
    assert kept["beginning"].startswith('{"comments":[{"body":"word 0 word 1 ')
    assert len(original) < 20_000
    assert not load(account(10, 200, 10), warehouse).problems
    assert select("select ids from testio_raw.ledger where endpoint = 'bugs' order by read_at") == [
        ("[1,2]",),
        ("[1,3]",),
        ("[1,2,3]",),
    ]


def test_of_a_record_without_a_key_no_more_is_kept(
    warehouse: Path, select: Select, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 15, row 2: what is put aside for another reason may be as large."""
    monkeypatch.setenv("SOURCES__TESTIO__MAX_RECORD_MB", "0.1")

    def nameless(path: str, query: Query) -> Answer:
        answer = account(200_000)(path, query)
        if path == "/bugs":
            del answer.body["bugs"][0]["id"]
        return answer

    report = load(nameless, warehouse)
    assert report.problems == ["bugs of test 1: 1 in quarantine without a key"]
    ((reason, length),) = select("select reason, strlen(original) from testio_raw.quarantine")
    assert (reason, length < 20_000) == ("no id", True)


def test_a_copy_is_cut_by_bytes_as_well(warehouse: Path) -> None:
    """Issue 15, row 2: 10,000 rows are many, if each has megabytes."""
    with duckdb.connect() as connection:
        rows = "select range as id, repeat('x', {}) as payload, null::bigint from range({})"
        for size, count, least, most in ((10, 5_000, 1, 1), (100_000, 3_000, 5, 50)):
            reader = connection.sql(rows.format(size, count)).to_arrow_reader(2_048)
            batches = list(_cut(reader))
            assert sum(batch.num_rows for batch in batches) == count
            assert least <= len(batches) <= most
            assert max(batch.nbytes for batch in batches) <= 100_000_000
            assert batches[0].schema.field("payload").type == pa.string()


@pytest.mark.postgres
def test_large_records_land_in_postgresql_too(
    warehouse: Path, cluster: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 15, row 2: by a load, and by a copy."""
    sizes = [40_000_000] + [500_000] * 60
    load(account(*sizes), warehouse)
    copied, loaded = cluster.another("large_copied"), cluster.another("large_loaded")
    copied.copy_raw(warehouse)
    for name, value in loaded.environment.items():
        monkeypatch.setenv(name, value)
    from testio_loader.warehouses import postgres

    with serve(account(*sizes)) as sandbox:
        customer = Customer("acme", CUSTOMER_ID, TOKEN, sandbox.url)
        assert not pipeline.load(postgres.configured(), customer).problems
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        hashes = "select id, md5(payload) from testio_raw.bugs order by id"
        expected = connection.execute(hashes).fetchall()
    for database in (copied, loaded):
        assert database.query(hashes)[1] == expected


def test_a_customer_with_large_records_is_erased(warehouse: Path, select: Select) -> None:
    """Issue 15, row 2."""
    load(account(40_000_000, *[500_000] * 60), warehouse)
    assert DuckDbFile(warehouse).erase(CUSTOMER_ID) > 0
    assert select("select count(*) from testio_raw.bugs") == [(0,)]
    assert warehouse.stat().st_size < 10_000_000
