"""The dlt source: one resource a raw table, all fed by one walk over the account."""

from collections.abc import Iterable, Iterator
from typing import Any

import dlt
import pyarrow as pa
from dlt.extract import DltResource

from loader.client import BASE_URL, MAX_IN_FLIGHT, Client
from loader.reader import Landing, Reader
from loader.tables import TABLES


@dlt.source(name="testio", section="testio", max_table_nesting=0)
def testio(
    api_token: dlt.TSecretStrValue = dlt.secrets.value,
    customer_id: int = dlt.config.value,
    base_url: str = BASE_URL,
    product_ids: Iterable[int] = (),
    test_ids: Iterable[int] = (),
    max_in_flight: int = MAX_IN_FLIGHT,
) -> Iterator[DltResource]:
    """Read a customer's account from the Test IO Customer API.

    Args:
        api_token: the customer's API token.
        customer_id: what stands in every row's `customer_id`; the API never names the customer.
        base_url: where the API is.
        product_ids: read these products only; all, if there are none.
        test_ids: read these tests and their bugs only.
        max_in_flight: calls at once.
    """

    @dlt.resource(selected=False)
    def landings() -> Iterator[Landing]:
        for table in TABLES:  # a table that has no rows yet is a table all the same
            yield Landing(table.name, table.to_arrow([]))
        client = Client(base_url, api_token)
        reader = Reader(
            client,
            customer_id,
            product_ids=product_ids,
            test_ids=test_ids,
            max_in_flight=max_in_flight,
        )
        yield from reader.read()

    def rows_of(table: str) -> Any:
        def pick(landing: Landing) -> Iterator[pa.Table]:
            if landing.table == table:
                yield landing.rows

        return pick

    yield landings
    for table in TABLES:
        yield dlt.transformer(
            rows_of(table.name), data_from=landings, name=table.name, **table.hints()
        )
