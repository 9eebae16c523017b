"""Reads the ledger: reports of loads, status of the warehouse, scopes that need no new read."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import dlt

from testio_loader import clock
from testio_loader.api.endpoints import ENDPOINTS, PRODUCTS, TESTS, Endpoint
from testio_loader.land.settled_scopes import CompleteList, IncompleteScope, Lists, unsettled
from testio_loader.read.refresh_policy import EarlierLoads, IdLists, read_ids
from testio_loader.read.scope import describe
from testio_loader.tables import QUARANTINE, TEST_HASH
from testio_loader.warehouses import raw

if TYPE_CHECKING:
    from testio_loader.warehouses import Warehouse


@dataclass(frozen=True)
class EndpointReport:
    """Counts of one endpoint in a load; `versions` are the new or changed records."""

    endpoint: str
    scopes: int
    incomplete: int
    records: int
    quarantined: int
    versions: int
    calls: int


@dataclass(frozen=True)
class LoadSummary:
    """Counts of one past load."""

    customer_id: int
    ended_at: datetime
    scopes: int
    incomplete: int
    records: int
    calls: int


@dataclass(frozen=True)
class CustomerStatus:
    """Number and age of a customer's tests."""

    customer_id: int
    tests: int
    oldest_read_at: datetime | None
    """When the test with the oldest data was read; None if no test was read completely."""
    unread_tests: int
    """Tests that were never read completely, or whose latest read was incomplete."""


class LedgerReader:
    """Queries the ledger, one SQL statement at a time."""

    def __init__(self, select: Callable[..., Sequence[Sequence[Any]]]) -> None:
        self._select = select

    def known(self, customer_id: int, endpoints: Sequence[Endpoint] = ENDPOINTS) -> EarlierLoads:
        """Return what earlier loads of a customer have read completely.

        A test counts as read if all its scopes of these endpoints are complete.
        """
        last = self._select(
            "select max(read_at) from {ledger} where customer_id = %s and endpoint = %s",
            customer_id,
            PRODUCTS.name,
        )
        products = self._products(customer_id)
        return EarlierLoads(
            self._read_at(customer_id, endpoints),
            self._listed(customer_id, products),
            self._ids_of_tests(customer_id),
            products,
            self._accounts(),
            last[0][0] if last else None,
            self._last_at(customer_id),
        )

    def known_to_load(
        self, customer_id: int, endpoints: Sequence[Endpoint] = ENDPOINTS
    ) -> EarlierLoads:
        """Return what `known` returns, with the test hashes; raw tables must be upgraded."""
        known = self.known(customer_id, endpoints)
        return replace(known, test_hashes=self._test_hashes(customer_id))

    def products(self, customer_id: int) -> EarlierLoads:
        """Return only the known products, which show whose account it is."""
        return EarlierLoads(products=self._products(customer_id), accounts=self._accounts())

    def _read_at(
        self, customer_id: int, endpoints: Sequence[Endpoint] = ENDPOINTS
    ) -> dict[int, datetime]:
        of_tests = _test_endpoints(endpoints)
        of_every_test = [endpoint for endpoint in of_tests if not endpoint.for_test_cases]
        if not of_every_test:
            return {}
        rows = self._select(
            "select test_id, min(complete_at) from ("
            "  select test_id, endpoint, max(read_at) as latest_at,"
            "    max(case when is_complete then read_at end) as complete_at"
            "  from {ledger}"
            f"  where customer_id = %s and test_id is not null and endpoint in {_names(of_tests)}"
            "  group by test_id, endpoint"
            ") as scopes group by test_id"
            " having count(case when complete_at = latest_at then 1 end) = count(*)"
            f" and count(case when endpoint in {_names(of_every_test)} then 1 end) = %s",
            customer_id,
            len(of_every_test),
        )
        return {int(id_): at for id_, at in rows}

    def future_read(self, customer_id: int) -> str | None:
        """Return an error message if the ledger has a read in the future, None if it has none.

        Staging would treat the records of that read as newer than all that is read now.
        """
        last = self.last_read_at(customer_id)
        if last is None or not clock.is_ahead(last):
            return None
        return (
            f"the ledger's latest read is dated {last.astimezone(UTC):%Y-%m-%d %H:%M} (UTC), which "
            "is in the future: correct this machine's clock "
            f"({clock.now():%Y-%m-%d %H:%M}), or, if that load's clock was wrong, run "
            f"`testio-loader erase --customer {customer_id}` and load again"
        )

    def last_read_at(self, customer_id: int) -> datetime | None:
        """Return the time of a customer's latest read; None if there is none."""
        rows = self._select(
            "select max(read_at) from {ledger}"
            f" where customer_id = %s and endpoint in {_names(ENDPOINTS)}",
            customer_id,
        )
        return rows[0][0] if rows else None

    def _last_at(self, customer_id: int) -> datetime | None:
        """Return the later of a customer's last read and last landing; ignore future times."""
        rows = self._select(
            "select max(inserted_at) from {_dlt_loads}"
            " where load_id in (select _dlt_load_id from {ledger} where customer_id = %s)",
            customer_id,
        )
        times = [self.last_read_at(customer_id), rows[0][0] if rows else None]
        return max((at for at in times if at and not clock.is_ahead(at)), default=None)

    def report(self, load_id: str) -> list[EndpointReport]:
        """Return the counts of a load, per endpoint."""
        totals = self._select(
            "select endpoint, count(*), count(case when not is_complete then 1 end),"
            f" {_total('record_count')}, {_total('quarantined_count')}, {_total('requests')}"
            " from {ledger} where _dlt_load_id = %s group by endpoint",
            load_id,
        )
        versions = self._versions([row[0] for row in totals], load_id)
        positions = {endpoint.name: at for at, endpoint in enumerate(ENDPOINTS)}
        return [
            EndpointReport(name, scopes, incomplete, records, quarantined, versions[name], calls)
            for name, scopes, incomplete, records, quarantined, calls in sorted(
                totals, key=lambda row: positions[row[0]]
            )
        ]

    def latest_load_id(self) -> str:
        """Return the id of the load that landed last; empty if none has landed."""
        rows = self._select(
            "select load_id from {_dlt_loads} where status = 0 order by inserted_at desc limit 1"
        )
        return str(rows[0][0]) if rows else ""

    def problems(self, load_id: str) -> list[str]:
        """Return a load's incomplete scopes: one line per endpoint and reason."""
        return self._described("outcome", "not is_complete", load_id)

    def remarks(self, load_id: str) -> list[str]:
        """Return what a load noted about complete scopes: one line per endpoint and remark."""
        return self._described("remarks", "remarks is not null", load_id)

    def _described(self, column: str, condition: str, load_id: str) -> list[str]:
        rows = self._select(
            f"select endpoint, {column}, count(*), min(product_id), min(test_id)"
            f" from {{ledger}} where _dlt_load_id = %s and {condition}"
            f" group by endpoint, {column} order by endpoint, {column}",
            load_id,
        )
        return [describe(*row) for row in rows]

    def loads(self, limit: int = 10) -> list[LoadSummary]:
        """Return the latest loads, newest first."""
        rows = self._select(
            # If the clock steps back, `inserted_at` is too early, but never `read_at`.
            "select ledger.customer_id, greatest(loads.inserted_at, max(read_at)), count(*),"
            " count(case when not is_complete then 1 end),"
            f" {_total('record_count')}, {_total('requests')}"
            " from {ledger} as ledger"
            " inner join {_dlt_loads} as loads on ledger._dlt_load_id = loads.load_id"
            " group by ledger.customer_id, loads.load_id, loads.inserted_at"
            f" order by 2 desc limit {limit:d}"
        )
        return [LoadSummary(*row) for row in rows]

    def incomplete(self) -> list[str]:
        """Return the incomplete scopes: one line per customer, endpoint and reason."""
        scopes: defaultdict[int, list[IncompleteScope]] = defaultdict(list)
        for customer_id, *read in self._latest_reads("", "not is_complete", "outcome, read_at"):
            scopes[customer_id].append(IncompleteScope(*read))
        if not scopes:
            return []
        lists: defaultdict[int, Lists] = defaultdict(Lists)
        for customer_id, endpoint, product_id, test_id, ids, read_at in self._latest_reads(
            f"where is_complete and endpoint in {_names([PRODUCTS, TESTS])}",
            f"customer_id in ({', '.join(map(str, scopes))})",
            "ids, read_at",
        ):
            found = CompleteList(frozenset(read_ids(ids)), read_at)
            if endpoint == PRODUCTS.name:
                lists[customer_id].products = found
            elif test_id is None:
                lists[customer_id].tests[product_id] = found
            else:
                lists[customer_id].single_tests[test_id] = found
        is_of_test = any(scope.test_id is not None for each in scopes.values() for scope in each)
        product_ids = (
            self._products_of_tests()
            if is_of_test
            else defaultdict[int, dict[int, int | None]](dict)
        )
        groups: defaultdict[tuple[int, str, str], list[IncompleteScope]] = defaultdict(list)
        for customer_id, of_customer in scopes.items():
            for scope in unsettled(of_customer, lists[customer_id], product_ids[customer_id]):
                groups[customer_id, scope.endpoint, scope.outcome].append(scope)
        lines = []
        for (customer_id, endpoint, outcome), group in sorted(groups.items()):
            first_product = _least(scope.product_id for scope in group)
            first_test = _least(scope.test_id for scope in group)
            line = describe(endpoint, outcome, len(group), first_product, first_test)
            lines.append(f"customer {customer_id}, {line}")
        return lines

    def _latest_reads(self, where: str, condition: str, columns: str) -> Sequence[Sequence[Any]]:
        """Return each scope's latest read: customer, endpoint, product, test, more columns.

        `where` filters before the latest read is chosen, `condition` afterwards.
        """
        return self._select(
            f"select customer_id, endpoint, product_id, test_id, {columns} from ("
            "  select ledger.*, row_number() over ("
            "    partition by customer_id, endpoint, product_id, test_id"
            "    order by read_at desc, loads.inserted_at desc"
            "  ) as age from {ledger} as ledger"
            "  inner join {_dlt_loads} as loads on ledger._dlt_load_id = loads.load_id"
            f"  {where}"
            f") as reads where age = 1 and {condition}"
        )

    def _products_of_tests(self) -> defaultdict[int, dict[int, int | None]]:
        """Return, by customer, the product of each test that has an incomplete read."""
        product_ids: defaultdict[int, dict[int, int | None]] = defaultdict(dict)
        for customer_id, test_id, product_id in self._select(
            "select customer_id, id, product_id from ("
            "  select tests.*, row_number() over ("
            "    partition by customer_id, id"
            "    order by loaded_at desc, content_hash desc, _dlt_load_id desc"
            f"  ) as age from {{{TESTS.name}}} as tests"
            "  where id in (select test_id from {ledger} where not is_complete)"
            "  and _dlt_load_id in (select load_id from {_dlt_loads} where status = 0)"
            ") as versions where age = 1"
        ):
            product_ids[customer_id][test_id] = product_id
        return product_ids

    def quarantine(self) -> list[tuple[str, str, int]]:
        """Return the number of distinct quarantined records per endpoint and reason."""
        rows = self._select(
            f"select endpoint, reason, count(distinct original) from {{{QUARANTINE.name}}}"
            " group by endpoint, reason order by endpoint, reason"
        )
        return [(endpoint, reason, count) for endpoint, reason, count in rows]

    def customers(self) -> list[CustomerStatus]:
        """Return the status of each customer; deleted tests do not count."""
        ids = self._select("select distinct customer_id from {ledger} order by customer_id")
        return [self._customer(customer_id) for (customer_id,) in ids]

    def _customer(self, customer_id: int) -> CustomerStatus:
        products = self._products(customer_id)
        known = EarlierLoads(self._read_at(customer_id), self._listed(customer_id, products))
        listed = known.tests()
        reads = [known.read_at[test_id] for test_id in listed if test_id in known.read_at]
        return CustomerStatus(
            customer_id, len(listed), min(reads, default=None), len(listed) - len(reads)
        )

    def _listed(self, customer_id: int, products: Collection[int]) -> dict[tuple[str, int], str]:
        """Return the ids in the latest complete lists of these products, by endpoint and product.

        The lists of deleted products are left out: their records are deleted, too.
        """
        rows = self._select(
            "select endpoint, product_id, ids from ("
            "  select endpoint, product_id, ids, row_number() over ("
            "    partition by endpoint, product_id order by read_at desc"
            "  ) as age"
            "  from {ledger} where customer_id = %s and product_id is not null and is_complete"
            ") as reads where age = 1",
            customer_id,
        )
        return {
            (str(endpoint), int(product_id)): str(ids)
            for endpoint, product_id, ids in rows
            if product_id in products
        }

    def _products(self, customer_id: int) -> frozenset[int]:
        """Return the products that the marts show: an incomplete list removes none."""
        rows = self._select(
            "select distinct ids from {ledger} where customer_id = %s and endpoint = %s"
            " and read_at >= coalesce((select max(read_at) from {ledger}"
            "  where customer_id = %s and endpoint = %s and is_complete), read_at)",
            *[customer_id, PRODUCTS.name] * 2,
        )
        return frozenset(id_ for (ids,) in rows for id_ in read_ids(ids))

    def _accounts(self) -> dict[int, dict[int, str]]:
        rows = self._select(
            "select customer_id, id, content_hash from (select customer_id, id, content_hash,"
            "  row_number() over (partition by customer_id, id"
            "   order by loaded_at desc, content_hash desc) as age from {products}"
            ") as versions where age = 1"
        )
        accounts: defaultdict[int, dict[int, str]] = defaultdict(dict)
        for customer_id, id_, version in rows:
            accounts[customer_id][id_] = version
        return accounts

    def _ids_of_tests(self, customer_id: int) -> dict[str, IdLists]:
        """Return the known ids per test; one text per endpoint, since an account has many tests."""
        rows = self._select(
            "select endpoint, string_agg(cast(test_id as varchar) || ids, '' order by test_id)"
            " from (select reads.endpoint, reads.test_id, min(reads.ids) as ids"
            "  from {ledger} as reads inner join ("
            "   select endpoint, test_id, max(read_at) as read_at from {ledger}"
            f"   where customer_id = %s and is_complete and test_id is not null"
            f"   and endpoint in {_names(_test_endpoints(ENDPOINTS))} group by endpoint, test_id"
            "  ) as latest on reads.endpoint = latest.endpoint"
            "  and reads.test_id = latest.test_id and reads.read_at = latest.read_at"
            "  where reads.customer_id = %s and reads.is_complete"
            "  group by reads.endpoint, reads.test_id"
            " ) as lists where ids <> '[]' group by endpoint",
            customer_id,
            customer_id,
        )
        return {str(endpoint): IdLists(text) for endpoint, text in rows}

    def _test_hashes(self, customer_id: int) -> dict[str, IdLists]:
        """Return the hash of each test's other data at the latest read of its details.

        Tests for which that read was incomplete, or has no hash, are left out.
        """
        last = [e for e in ENDPOINTS if e.is_read_last or e.is_final_with_test]
        rows = self._select(
            f"select endpoint, string_agg(cast(test_id as varchar) || '[' || {TEST_HASH} || ']', ''"
            "  order by test_id)"
            f" from (select endpoint, test_id, is_complete, {TEST_HASH}, row_number() over ("
            "   partition by endpoint, test_id order by read_at desc"
            "  ) as age from {ledger}"
            f"  where customer_id = %s and test_id is not null and endpoint in {_names(last)}"
            f" ) as reads where age = 1 and is_complete and {TEST_HASH} is not null"
            " group by endpoint",
            customer_id,
        )
        return {str(endpoint): IdLists(text) for endpoint, text in rows}

    def _versions(self, endpoints: list[str], load_id: str) -> dict[str, int]:
        counts = " union all ".join(
            f"select '{name}', count(*) from {{{name}}} where _dlt_load_id = %s"
            for name in endpoints
        )
        rows = self._select(counts, *[load_id for _ in endpoints]) if endpoints else []
        return {str(name): int(count) for name, count in rows}


def ledger_of(warehouse: "Warehouse") -> LedgerReader | None:
    """Return a reader of the ledger of a warehouse; None if the warehouse does not exist."""
    if not warehouse.exists():
        return None
    with warehouse.opened(read_only=True):
        return LedgerReader(partial(warehouse.select, read_only=True))


def ledger_of_pipeline(pipeline: dlt.Pipeline) -> LedgerReader:
    """Return a reader of the ledger that a dlt pipeline writes; the ledger may be empty."""
    return LedgerReader(lambda sql, *values: raw.select(pipeline.sql_client(), sql, *values))


def _test_endpoints(endpoints: Sequence[Endpoint]) -> list[Endpoint]:
    return [endpoint for endpoint in endpoints if endpoint.parent == "test"]


def _names(endpoints: Sequence[Endpoint]) -> str:
    """Return the names as an SQL list."""
    return "({})".format(", ".join(f"'{endpoint.name}'" for endpoint in endpoints))


def _least(ids: Iterable[int | None]) -> int | None:
    return min((id_ for id_ in ids if id_ is not None), default=None)


def _total(column: str) -> str:
    """Return SQL that sums up a column, as a whole number in every warehouse."""
    return f"cast(sum({column}) as bigint)"
