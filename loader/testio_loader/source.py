"""The dlt source: one resource per raw table; one crawler fills them all."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import dlt
import pyarrow as pa
from dlt.common.storages.exceptions import CurrentLoadPackageStateNotAvailable
from dlt.extract import DltResource, DltSource

from testio_loader import settings
from testio_loader.api.base import BASE_URL, Api
from testio_loader.api.client import Client
from testio_loader.api.endpoints import ENDPOINTS, TABLES, Endpoint
from testio_loader.api.recording import RecordedApi, Recorder
from testio_loader.errors import ConfigurationError, LedgerError
from testio_loader.land.ledger import ledger_of_pipeline
from testio_loader.read.counts import Counts
from testio_loader.read.crawler import MAX_IN_FLIGHT, Crawler, Plan, needed
from testio_loader.read.refresh_policy import EarlierLoads, RefreshPolicy
from testio_loader.read.scope import MAX_RECORD_BYTES
from testio_loader.read.steps import TableRows
from testio_loader.tables import LEDGER, QUARANTINE, Table
from testio_loader.warehouses import raw

_MANY, _LARGE = 500, 1_000_000
"""A table is handed to dlt once it has this many rows or characters, because dlt, Parquet and
DuckDB hold each table in memory as a whole."""
_ALWAYS = (LEDGER.name, QUARANTINE.name)
_DESTINATIONS = ("duckdb", "postgres")
"""The destinations of dlt that keep every version of a record, as tests show."""
Rows = tuple[Table, pa.Table]
"""A raw table, and rows for it."""


class TestioSource(DltSource):
    """A source whose selections always include the ledger and the lists that they need."""

    def with_resources(self, *resource_names: str) -> DltSource:
        """Return a source that reads only these endpoints and those that they need.

        For example, bugs need the products and the lists of their tests. Ledger and quarantine
        are always included, because they show what is complete.
        """
        endpoints = needed([endpoint for endpoint in ENDPOINTS if endpoint.name in resource_names])
        also = {*_ALWAYS, *(endpoint.name for endpoint in endpoints)}
        return super().with_resources(*resource_names, *also.difference(resource_names))


@dlt.source(name="testio", section="testio", max_table_nesting=0, _impl_cls=TestioSource)
def testio(
    api_token: dlt.TSecretStrValue = dlt.secrets.value,
    customer_id: int = dlt.config.value,
    base_url: str = BASE_URL,
    product_ids: Iterable[int] = (),
    test_ids: Iterable[int] = (),
    known: EarlierLoads | None = None,
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
        customer_id: a number for the column `customer_id`; the API never names the customer.
        base_url: the URL of the API.
        product_ids: read only these products; by default all.
        test_ids: read only these tests, with all that belongs to them.
        known: what earlier loads have read; by default from the ledger in the destination.
        settling_days: days after its end during which every load reads a test again.
        max_age_days: maximum age of a test's data in days; older data is read again. If its list
            entry, bugs and executions have not changed, its details are read again only then.
        max_in_flight: maximum number of simultaneous calls.
        max_record_mb: maximum size of a record's JSON in MB; a larger record goes into quarantine.
        record_to: a new folder in which to keep the API's answers.
        replay_from: a folder with such answers, which are landed without calling the API.
        accept_deletions: whether all missing records count as deleted, however many they are. By
            default, scopes are incomplete if more than half of at least 20 known records of an
            endpoint (products: of at least one) are missing.
        accept_account_change: whether the account may differ from the one loaded before. By
            default, nothing lands if no known product comes back, or if another customer's do.
        counts: counters that the load increments.

    Example:
        >>> pipeline = dlt.pipeline("testio", destination="duckdb", dataset_name="testio_raw")
        >>> pipeline.run(testio(product_ids=[42]).with_resources("bugs"))
    """
    settings.refuse(
        settling_days=settling_days,
        max_age_days=max_age_days,
        max_in_flight=max_in_flight,
        max_record_mb=max_record_mb,
    )
    products, tests = tuple(product_ids), tuple(test_ids)

    def crawler(endpoints: Sequence[Endpoint], known: EarlierLoads) -> Crawler:
        archive = RecordedApi(Path(replay_from)) if replay_from else None
        # Without a selection, a replay has the selection of its recording.
        recorded = None if products or tests else archive
        api: Api = archive or Client(base_url, api_token, known.last_at)
        began_at = api.now()
        return Crawler(
            api,
            customer_id,
            RefreshPolicy(
                began_at,
                known,
                settling=timedelta(days=settling_days),
                max_age=timedelta(days=max_age_days),
                product_ids=frozenset(products),
            ),
            product_ids=recorded.product_ids if recorded else products,
            test_ids=recorded.test_ids if recorded else tests,
            unlisted_test_ids=recorded.unlisted_test_ids if recorded else (),
            endpoints=endpoints,
            max_in_flight=max_in_flight,
            max_record_bytes=int(max_record_mb * 1_000_000),
            recorder=Recorder(Path(record_to), began_at, products, tests) if record_to else None,
            counts=counts,
            accept_deletions=accept_deletions,
            accept_account_change=accept_account_change,
        )

    @dlt.resource(selected=False)
    def table_rows() -> Iterator[Rows]:
        selected = dlt.current.source().selected_resources
        endpoints = needed([endpoint for endpoint in ENDPOINTS if endpoint.name in selected])
        try:
            load_id = dlt.current.load_package_state()["load_id"]
        except CurrentLoadPackageStateNotAvailable:  # rows are read without a pipeline
            load_id, earlier = "", known or EarlierLoads()
        else:
            _refuse_selection(endpoints, selected)
            earlier = known or _earlier(
                dlt.current.pipeline(), customer_id, endpoints, is_replay=bool(replay_from)
            )
        yield from ((table, table.to_arrow([], load_id)) for table in TABLES)
        yield from _combined(crawler(endpoints, earlier).read(), load_id)

    @dlt.resource(selected=False)
    def plan() -> Iterator[dict[str, Plan]]:
        """Yield the plan of a load; the lists are read, nothing lands."""
        yield crawler(ENDPOINTS, known or EarlierLoads()).plan()

    def rows_of(table: Table) -> Any:
        def pick(item: Rows) -> Iterator[pa.Table]:
            table_of_rows, rows = item
            if table_of_rows is table:
                yield rows

        return pick

    yield table_rows
    yield plan
    for table in TABLES:
        yield dlt.transformer(
            rows_of(table), data_from=table_rows, name=table.name, **table.hints()
        )


def _refuse_selection(endpoints: Iterable[Endpoint], selected: Collection[str]) -> None:
    """Raise ConfigurationError if a resource that these endpoints need is not selected."""
    wanted = {*_ALWAYS, *(endpoint.name for endpoint in endpoints)}
    if missing := sorted(wanted.difference(selected)):
        raise ConfigurationError(
            f"{', '.join(missing)} cannot be left out: select them as well, or use "
            "`with_resources`, which adds them"
        )


def _earlier(
    pipeline: dlt.Pipeline, customer_id: int, endpoints: Sequence[Endpoint], *, is_replay: bool
) -> EarlierLoads:
    """Prepare a pipeline's destination, and return what earlier loads into it have read.

    Raises:
        ConfigurationError: if the destination is not supported.
        LedgerError: if the ledger has a read in the future.
    """
    destination = pipeline.destination
    kind = destination.destination_type.rpartition(".")[2] if destination else "none"
    if kind not in _DESTINATIONS:
        raise ConfigurationError(
            f"the destination {kind} is not supported, as it cannot keep versions of records: use "
            "duckdb or postgres in your own pipeline, or `testio-loader load --destination iceberg`"
        )
    # Without transactions, a merge that fails halfway leaves no current row in a table.
    destination.caps_params["supports_transactions"] = True
    ledger = ledger_of_pipeline(pipeline)
    if problem := ledger.future_read(customer_id):
        raise LedgerError(problem)
    with pipeline.sql_client() as client:
        # dlt has already finished the loads in its working folder. No other load can complete.
        raw.take_back(client, TABLES)
        raw.upgrade(client, TABLES)
    # A recording may be older than the data there, and belong to another customer.
    if is_replay:
        return ledger.products(customer_id)
    return ledger.known_to_load(customer_id, endpoints)


def _combined(table_rows: Iterable[TableRows], load_id: str) -> Iterator[Rows]:
    """Combine rows, because dlt needs some milliseconds even for a small table.

    The tables are limited in size: a large answer makes several, not a large one.
    """
    tables = {table.name: table for table in TABLES}
    waiting: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    size: Counter[str] = Counter()
    for part in table_rows:
        name = part.table
        for row in part.rows:
            waiting[name].append(row)
            size[name] += _size(row)
            if len(waiting[name]) >= _MANY or size[name] >= _LARGE:
                yield tables[name], tables[name].to_arrow(waiting.pop(name), load_id)
                size[name] = 0
    for name, rows in waiting.items():
        yield tables[name], tables[name].to_arrow(rows, load_id)


def _size(row: dict[str, Any]) -> int:
    return sum(len(value) for value in row.values() if isinstance(value, str))
