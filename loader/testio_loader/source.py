"""The dlt source: one resource a raw table, all fed by one walk over the account."""

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
"""Rows, and characters, that are handed to dlt at once: what is more becomes another table, as
dlt, Parquet and DuckDB hold each as a whole."""
_ALWAYS = (LEDGER.name, QUARANTINE.name)
_DESTINATIONS = ("duckdb", "postgres")
"""Of dlt's destinations those in which every version of a record is kept, as tests say."""
Rows = tuple[Table, pa.Table]
"""A raw table, and rows for it."""


class TestioSource(DltSource):
    """A source whose ledger always lands, and with it the lists that say what there is."""

    def with_resources(self, *resource_names: str) -> DltSource:
        """Return a source that reads these endpoints only, and what they need.

        Bugs need the products and the lists of their tests, for instance. Ledger and quarantine
        come with whatever is selected, as they say what is complete.
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
        customer_id: what stands in every row's `customer_id`; the API never names the customer.
        base_url: where the API is.
        product_ids: read these products only; all, if there are none.
        test_ids: read these tests and what belongs to them only.
        known: what earlier loads have read; by default what the pipeline's destination says.
        settling_days: how long after its end a test is read again at every load.
        max_age_days: how old what was read of a test may grow until it is read again. Its details
            wait so long if its list entry, bugs and executions have not changed.
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

    def crawler(endpoints: Sequence[Endpoint], known: EarlierLoads) -> Crawler:
        archive = RecordedApi(Path(replay_from)) if replay_from else None
        # A recording is replayed as what it is, if nothing else is asked for.
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
        except CurrentLoadPackageStateNotAvailable:  # somebody looks at rows without a pipeline
            load_id, earlier = "", known or EarlierLoads()
        else:
            _refuse_selection(endpoints, selected)
            earlier = known or _earlier(
                dlt.current.pipeline(), customer_id, endpoints, is_replay=bool(replay_from)
            )
        yield from ((table, table.to_arrow([], load_id)) for table in TABLES)
        yield from _gathered(crawler(endpoints, earlier).read(), load_id)

    @dlt.resource(selected=False)
    def plan() -> Iterator[dict[str, Plan]]:
        """What the rest of a load would ask for; the lists are read, nothing lands."""
        yield crawler(ENDPOINTS, known or EarlierLoads()).plan()

    def rows_of(table: Table) -> Any:
        def pick(landed: Rows) -> Iterator[pa.Table]:
            of, rows = landed
            if of is table:
                yield rows

        return pick

    yield table_rows
    yield plan
    for table in TABLES:
        yield dlt.transformer(
            rows_of(table), data_from=table_rows, name=table.name, **table.hints()
        )


def _refuse_selection(endpoints: Iterable[Endpoint], selected: Collection[str]) -> None:
    """Raise ConfigurationError if what the selected endpoints need is not to land."""
    wanted = {*_ALWAYS, *(endpoint.name for endpoint in endpoints)}
    if missing := sorted(wanted.difference(selected)):
        raise ConfigurationError(
            f"{', '.join(missing)} cannot be left out: select them as well, or select by "
            "`with_resources`, which adds them"
        )


def _earlier(
    pipeline: dlt.Pipeline, customer_id: int, endpoints: Sequence[Endpoint], *, is_replay: bool
) -> EarlierLoads:
    """Make a pipeline's destination ready; return what earlier loads into it have read.

    Raises:
        ConfigurationError: if raw tables cannot be there.
        LedgerError: if its times are in the future.
    """
    destination = pipeline.destination
    kind = destination.destination_type.rpartition(".")[2] if destination else "none"
    if kind not in _DESTINATIONS:
        raise ConfigurationError(
            f"the destination {kind} cannot keep versions of records: use duckdb or postgres in a "
            "pipeline of your own, or `testio-loader load --destination iceberg`"
        )
    # Without transactions a merge that fails half-way leaves all rows of a table retired.
    destination.caps_params["supports_transactions"] = True
    ledger = ledger_of_pipeline(pipeline)
    if problem := ledger.future_read(customer_id):
        raise LedgerError(problem)
    with pipeline.sql_client() as client:
        # dlt finishes what it has in its working folder before it extracts: the rest is dead.
        raw.take_back(client, TABLES)
        raw.upgrade(client, TABLES)
    # A recording may be older than what is there, and another customer's.
    if is_replay:
        return ledger.products(customer_id)
    return ledger.known_to_load(customer_id, endpoints)


def _gathered(table_rows: Iterable[TableRows], load_id: str) -> Iterator[Rows]:
    """Put rows together, for each table takes dlt some milliseconds however small it is.

    Rows that have come together are parted, so that no table grows with an answer.
    """
    tables = {table.name: table for table in TABLES}
    waiting: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    size: Counter[str] = Counter()
    for landing in table_rows:
        name = landing.table
        for row in landing.rows:
            waiting[name].append(row)
            size[name] += _size(row)
            if len(waiting[name]) >= _MANY or size[name] >= _LARGE:
                yield tables[name], tables[name].to_arrow(waiting.pop(name), load_id)
                size[name] = 0
    for name, rows in waiting.items():
        yield tables[name], tables[name].to_arrow(rows, load_id)


def _size(row: dict[str, Any]) -> int:
    return sum(len(value) for value in row.values() if isinstance(value, str))
