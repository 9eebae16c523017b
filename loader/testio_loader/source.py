"""The dlt source: one resource a raw table, all fed by one walk over the account."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import dlt
import pyarrow as pa
from dlt.extract import DltResource

from testio_loader import settings
from testio_loader.api.base import BASE_URL, Api
from testio_loader.api.client import Client
from testio_loader.api.endpoints import TABLES
from testio_loader.api.recording import Archive, Recorder
from testio_loader.read.counts import Counts
from testio_loader.read.crawler import MAX_IN_FLIGHT, Crawler, Plan
from testio_loader.read.refresh_policy import Known, RefreshPolicy
from testio_loader.read.scope import MAX_RECORD_BYTES
from testio_loader.read.steps import Landing

_MANY, _LARGE = 500, 1_000_000
"""Rows, and characters, that are handed to dlt at once: what is more becomes another table, as
dlt, Parquet and DuckDB hold each as a whole."""
Rows = tuple[str, pa.Table]
"""The name of a raw table, and rows for it."""


@dlt.source(name="testio", section="testio", max_table_nesting=0)
def testio(
    api_token: dlt.TSecretStrValue = dlt.secrets.value,
    customer_id: int = dlt.config.value,
    base_url: str = BASE_URL,
    product_ids: Iterable[int] = (),
    test_ids: Iterable[int] = (),
    known: Known | None = None,
    settling_days: float = 30,
    max_age_days: float = 7,
    max_in_flight: int = MAX_IN_FLIGHT,
    max_record_mb: float = MAX_RECORD_BYTES / 1_000_000,
    record_to: str = "",
    replay_from: str = "",
    accept_deletions: bool = False,
    accept_account_change: bool = False,
    counts: Counts | None = None,
) -> Iterator[DltResource]:
    """Read a customer's account from the Test IO Customer API.

    Args:
        api_token: the customer's API token.
        customer_id: what stands in every row's `customer_id`; the API never names the customer.
        base_url: where the API is.
        product_ids: read these products only; all, if there are none.
        test_ids: read these tests and what belongs to them only.
        known: what earlier loads have read; without it everything is read.
        settling_days: how long after its end a test is read again at every load.
        max_age_days: how old what was read of a test may grow until it is read again.
        max_in_flight: calls at once.
        max_record_mb: how large the JSON of a record may be; a larger one goes into quarantine.
        record_to: a folder to keep the API's answers in.
        replay_from: a folder with such answers, which are landed instead of asking the API.
        accept_deletions: whether all records that are missing are deleted, however many they are.
            Unless it is set, scopes are incomplete if more than half of at least 20 known records
            of a kind (products: of at least one) are missing.
        accept_account_change: whether the account may be another one than before. Unless it is
            set, nothing lands if no known product comes back, or those of another customer do.
        counts: what is counted while reading.
    """
    settings.refuse(
        settling_days=settling_days,
        max_age_days=max_age_days,
        max_in_flight=max_in_flight,
        max_record_mb=max_record_mb,
    )
    products, tests = tuple(product_ids), tuple(test_ids)

    def reader() -> Crawler:
        archive = Archive(Path(replay_from)) if replay_from else None
        # A recording is replayed as what it is, if nothing else is asked for.
        recorded = None if products or tests else archive
        api: Api = archive or Client(base_url, api_token, known.last_at if known else None)
        began_at = api.now()
        return Crawler(
            api,
            customer_id,
            RefreshPolicy(
                began_at,
                known or Known(),
                settling=timedelta(days=settling_days),
                max_age=timedelta(days=max_age_days),
                product_ids=frozenset(products),
            ),
            product_ids=recorded.product_ids if recorded else products,
            test_ids=recorded.test_ids if recorded else tests,
            unlisted_test_ids=recorded.unlisted_test_ids if recorded else (),
            max_in_flight=max_in_flight,
            max_record_bytes=int(max_record_mb * 1_000_000),
            recorder=Recorder(Path(record_to), began_at, products, tests) if record_to else None,
            counts=counts,
            accept_deletions=accept_deletions,
            accept_account_change=accept_account_change,
        )

    @dlt.resource(selected=False)
    def landings() -> Iterator[Rows]:
        # A table that has no rows yet is a table all the same.
        yield from ((table.name, table.to_arrow([])) for table in TABLES)
        yield from _gathered(reader().read())

    @dlt.resource(selected=False)
    def plan() -> Iterator[dict[str, Plan]]:
        """What the rest of a load would ask for; the lists are read, nothing lands."""
        yield reader().plan()

    def rows_of(table: str) -> Any:
        def pick(landed: Rows) -> Iterator[pa.Table]:
            name, rows = landed
            if name == table:
                yield rows

        return pick

    yield landings
    yield plan
    for table in TABLES:
        yield dlt.transformer(
            rows_of(table.name), data_from=landings, name=table.name, **table.hints()
        )


def _gathered(landings: Iterable[Landing]) -> Iterator[Rows]:
    """Put rows together, for each table takes dlt some milliseconds however small it is.

    Rows that have come together are parted, so that no table grows with an answer.
    """
    tables = {table.name: table for table in TABLES}
    waiting: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    size: Counter[str] = Counter()
    for landing in landings:
        name = landing.table
        for row in landing.rows:
            waiting[name].append(row)
            size[name] += _size(row)
            if len(waiting[name]) >= _MANY or size[name] >= _LARGE:
                yield name, tables[name].to_arrow(waiting.pop(name))
                size[name] = 0
    for name, rows in waiting.items():
        yield name, tables[name].to_arrow(rows)


def _size(row: dict[str, Any]) -> int:
    return sum(len(value) for value in row.values() if isinstance(value, str))
