"""The dlt pipeline: where rows go, and what makes a load all or nothing."""

import logging
import os
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dlt
from dlt.common.destination.client import WithStagingDataset
from dlt.pipeline.exceptions import PipelineStepFailed

from loader import warehouse
from loader.client import AccessDenied
from loader.customers import Customer
from loader.reader import NothingRead
from loader.source import testio
from loader.tables import LEDGER, TABLES

_SETTINGS = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    # Staging tells completed loads from broken ones by the load id of each row.
    "NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID": "true",
    # What has landed stays nowhere else.
    "LOAD__DELETE_COMPLETED_JOBS": "true",
    "LOAD__TRUNCATE_STAGING_DATASET": "true",
}


logger = logging.getLogger(__name__)


class LoadFailed(Exception):
    """Nothing of a load is visible; the message says why."""


@dataclass(frozen=True)
class EndpointReport:
    """What a load read of one endpoint, and how much of it was new or changed."""

    endpoint: str
    scopes: int
    incomplete: int
    records: int
    quarantined: int
    versions: int


@dataclass(frozen=True)
class LoadReport:
    """What a load of one customer did, as its own ledger has it."""

    customer: str
    endpoints: list[EndpointReport]
    problems: list[str]
    """The scopes that are incomplete, and why."""


def load(
    path: Path,
    customer: Customer,
    *,
    product_ids: Collection[int] = (),
    test_ids: Collection[int] = (),
) -> LoadReport:
    """Land one customer's account, or part of it, in the warehouse file at `path`.

    A load that was interrupted is finished first, or undone if that is no longer possible.

    Raises:
        LoadFailed: if nothing could be read, or what was read could not be landed.
    """
    _finish_interrupted(path)
    source = testio(
        api_token=customer.api_token,
        customer_id=customer.customer_id,
        base_url=customer.base_url,
        product_ids=product_ids,
        test_ids=test_ids,
    )
    pipeline = _pipeline(path)
    try:
        info = pipeline.run(source, loader_file_format="parquet")
    except PipelineStepFailed as failure:
        if failure.step == "extract":
            _forget(pipeline)
        raise LoadFailed(_reason(failure, customer)) from failure
    _forget(pipeline)
    return _report(pipeline, customer, info.loads_ids[0])


def drop(path: Path) -> None:
    """Remove what loads have made: the raw data, dlt's tables beside it, and its working files."""
    pipeline = _pipeline(path)
    with pipeline.destination_client() as client:
        if client.is_storage_initialized():
            client.drop_storage()
        if isinstance(client, WithStagingDataset):
            with client.with_staging_dataset():
                if client.is_storage_initialized():
                    client.drop_storage()
    _forget(pipeline)


def _pipeline(path: Path) -> dlt.Pipeline:
    os.environ.update(_SETTINGS)
    warehouse.create(path)
    return dlt.pipeline(
        "testio",
        pipelines_dir=str(warehouse.working_directory(path)),
        # Without transactions a merge that fails half-way leaves all rows of a table retired.
        destination=dlt.destinations.duckdb(credentials=str(path), supports_transactions=True),
        dataset_name=warehouse.RAW_DATASET,
    )


def _finish_interrupted(path: Path) -> None:
    """Bring the warehouse to the end of a load: the interrupted one's, or else the one before."""
    pipeline = _pipeline(path)
    if pipeline.has_pending_data:
        try:
            pipeline.run()
        except PipelineStepFailed as failure:
            logger.warning("An interrupted load cannot be finished; it is undone: %s", failure)
        else:
            logger.info("Finished a load that was interrupted.")
    _forget(pipeline)
    _undo_incomplete(pipeline)


def _forget(pipeline: dlt.Pipeline) -> None:
    """Delete dlt's working files: what it needs it finds in the warehouse, the rest is raw text."""
    shutil.rmtree(pipeline.working_dir, ignore_errors=True)


def _undo_incomplete(pipeline: dlt.Pipeline) -> None:
    """Take back the rows of loads that never completed, and reopen the versions they closed.

    Left where they are, they would be taken for current by the next merge, though staging does not
    read them.
    """
    with pipeline.sql_client() as client:
        tables = "select table_name from information_schema.tables where table_schema = %s"
        existing = {name for (name,) in client.execute_sql(tables, client.dataset_name) or []}
        if "_dlt_loads" not in existing:
            return
        completed = f"select load_id from {client.make_qualified_table_name('_dlt_loads')}"
        broken = f"_dlt_load_id not in ({completed} where status = 0)"
        with client.begin_transaction():
            for table in TABLES:
                if table.name not in existing:
                    continue
                qualified = client.make_qualified_table_name(table.name)
                if table.is_versioned:
                    client.execute_sql(
                        f"update {qualified} set _dlt_valid_to = null where _dlt_valid_to in "
                        f"(select _dlt_valid_from from {qualified} where {broken})"
                    )
                client.execute_sql(f"delete from {qualified} where {broken}")


def _report(pipeline: dlt.Pipeline, customer: Customer, load_id: str) -> LoadReport:
    with pipeline.sql_client() as client:

        def select(sql: str) -> Sequence[Sequence[Any]]:
            return client.execute_sql(sql, load_id) or []

        ledger = client.make_qualified_table_name(LEDGER.name)
        totals = select(
            "select endpoint, count(*), count(case when not is_complete then 1 end), "
            "sum(record_count), sum(quarantined_count) "
            f"from {ledger} where _dlt_load_id = %s group by endpoint order by endpoint"
        )
        problems = select(
            "select endpoint, product_id, test_id, outcome "
            f"from {ledger} where _dlt_load_id = %s and not is_complete order by 1, 2, 3"
        )
        versions = {
            endpoint: select(
                f"select count(*) from {client.make_qualified_table_name(endpoint)} "
                "where _dlt_load_id = %s"
            )[0][0]
            for endpoint, *_ in totals
        }
    return LoadReport(
        customer.name,
        [
            EndpointReport(name, scopes, incomplete, records, quarantined, versions[name])
            for name, scopes, incomplete, records, quarantined in totals
        ],
        [_describe(*problem) for problem in problems],
    )


def _describe(endpoint: str, product_id: int | None, test_id: int | None, outcome: str) -> str:
    of_what = f" of product {product_id}" if product_id is not None else ""
    of_what += f" of test {test_id}" if test_id is not None else ""
    return f"{endpoint}{of_what}: {outcome}"


def _reason(failure: PipelineStepFailed, customer: Customer) -> str:
    """Return what the person at the keyboard can act on."""
    cause: BaseException | None = failure
    while cause is not None:
        if isinstance(cause, AccessDenied):
            return (
                f"{customer.base_url} refuses the token of customer {customer.name!r} ({cause}); "
                "check the token and that it belongs to this customer"
            )
        if isinstance(cause, NothingRead):
            return f"nothing could be read from {customer.base_url}: {cause}"
        cause = cause.__cause__ or cause.__context__
    return f"{failure.step} failed: {failure.exception}"
