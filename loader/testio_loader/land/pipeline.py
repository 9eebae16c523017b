"""Runs a load as a dlt pipeline, so that all of it lands or nothing."""

import contextlib
import json
import logging
import shutil
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import dlt
from dlt.common.exceptions import DltException
from dlt.extract import DltSource
from dlt.pipeline.exceptions import CannotRestorePipelineException, PipelineStepFailed

from testio_loader.api.endpoints import ENDPOINTS, TABLES
from testio_loader.customers import Customer
from testio_loader.errors import LoaderError, LoadError, WarehouseBusyError, WarehouseError
from testio_loader.land import interrupted
from testio_loader.land.ledger import EndpointReport, LedgerReader, ledger_of
from testio_loader.private import make_folder
from testio_loader.read.counts import Attribution, Counts
from testio_loader.read.crawler import NothingReadError
from testio_loader.read.refresh_policy import EarlierLoads
from testio_loader.source import testio
from testio_loader.warehouses import RAW_DATASET, LostLockError, Warehouse

_NAME = "testio"
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoadReport:
    """The result of one customer's load."""

    customer: str
    endpoints: list[EndpointReport]
    problems: list[str]
    """Incomplete scopes, and why."""
    remarks: list[str]
    """What the load noted without a scope being incomplete."""
    attribution: Attribution


@dataclass(frozen=True)
class EndpointPlan:
    """Scopes of one endpoint that a load would read, and the fewest calls that they need.

    Only the load itself finds out which details of tests can wait, so a plan counts them all.
    """

    endpoint: str
    scopes: int
    calls: int


@dataclass(frozen=True)
class PlanReport:
    """The plan of one customer's load."""

    customer: str
    endpoints: list[EndpointPlan]
    problems: list[str]
    """What could not be read, or is missing, and why."""
    remarks: list[str]
    """Disappearances that would be accepted."""


@dataclass(frozen=True)
class Selection:
    """The part of an account that a load reads; by default all that may have changed."""

    product_ids: Collection[int] = ()
    test_ids: Collection[int] = ()
    is_full: bool = False
    record_to: str = ""
    replay_from: str = ""
    accept_deletions: bool = False
    accept_account_change: bool = False


def load(
    warehouse: Warehouse,
    customer: Customer,
    selection: Selection | None = None,
    *,
    counts: Counts | None = None,
    progress: Any = None,
) -> LoadReport:
    """Land one customer's account, or part of it, in a warehouse.

    The load first finishes an interrupted load, or undoes it if it can no longer be finished. It
    increments `counts`; `progress` is one of dlt's collectors.

    Raises:
        LoadError: if nothing could be read, or the data could not land, or the ledger has a read
            in the future, or an interrupted load can be neither finished nor undone now.
        WarehouseBusyError: if another process uses the warehouse before anything is read.
        WarehouseError: if the warehouse cannot be used before anything is read.
    """
    counts = counts or Counts()
    settle(warehouse)
    with warehouse.opened():
        pipeline = _pipeline(warehouse, progress)
        ledger = LedgerReader(warehouse.select)
        source = _source(customer, selection or Selection(), ledger, counts)
        warehouse.adapt(source)
    try:
        pipeline.extract(source, loader_file_format=warehouse.file_format)
        pipeline.normalize()
        (load_id,) = pipeline.list_normalized_load_packages()
        with contextlib.ExitStack() as opened:
            opened.enter_context(warehouse.opened())
            try:
                pipeline.load()
                warehouse.complete(load_id)
            except PipelineStepFailed as failure:
                if not (roomier := _roomier(warehouse, failure)):
                    raise
                opened.close()
                opened.enter_context(roomier.opened())
                interrupted.land_again(_pipeline(roomier, progress), roomier, TABLES)
            interrupted.forget(pipeline)
            return LoadReport(
                customer.name,
                ledger.report(load_id),
                ledger.problems(load_id),
                ledger.remarks(load_id),
                counts.attribution(),
            )
    except PipelineStepFailed as failure:
        # Discard data that is incomplete, or older than what another load may have landed since
        # this one lost its lock.
        if failure.step == "extract" or any(
            isinstance(c, LostLockError) for c in interrupted.causes(failure)
        ):
            interrupted.forget(pipeline)
        raise LoadError(f"customer {customer.name}: {_reason(failure, customer)}") from failure
    except (WarehouseError, WarehouseBusyError) as failure:  # it was usable before reading
        advice = "; the next load lands the data that was read" if pipeline.has_pending_data else ""
        raise LoadError(f"customer {customer.name}: {failure}{advice}") from failure


def plan(warehouse: Warehouse, customer: Customer, selection: Selection) -> PlanReport:
    """Return the plan of a load; only the lists are read, nothing lands.

    Raises:
        LoadError: if nothing could be read.
    """
    source = _source(customer, selection, ledger_of(warehouse))
    try:
        (plans,) = source.resources["plan"]
    except DltException as failure:
        raise LoadError(f"customer {customer.name}: {_reason(failure, customer)}") from failure
    plans = {
        endpoint.name: plans[endpoint.name] for endpoint in ENDPOINTS if endpoint.name in plans
    }
    return PlanReport(
        customer.name,
        [EndpointPlan(name, planned.scopes, planned.calls) for name, planned in plans.items()],
        [problem for planned in plans.values() for problem in planned.problems],
        [remark for planned in plans.values() for remark in planned.remarks],
    )


def has_interrupted_load(warehouse: Warehouse) -> bool:
    """Return whether an interrupted load has left data for `settle` to land."""
    directory = warehouse.working_directory
    if not (directory / _NAME).exists():
        return False
    try:
        return dlt.attach(_NAME, str(directory)).has_pending_data
    except CannotRestorePipelineException:
        return False


def settle(warehouse: Warehouse) -> None:
    """Finish an interrupted load, or undo it if its data is lost or can never land.

    Raises:
        LoadError: if the data of an interrupted load cannot land now, but may land later, or if
            the raw tables of an earlier version cannot be upgraded.
    """
    warehouse.prepare()
    try:
        with warehouse.opened():
            interrupted.finish(_pipeline(warehouse), warehouse, TABLES)
            # Not before: an older version of the loader may have begun the interrupted load.
            _upgrade(warehouse)
    except PipelineStepFailed as failure:
        if roomier := _roomier(warehouse, failure):
            settle(roomier)
            return
        *_, cause = interrupted.causes(failure)
        raise LoadError(
            f"an interrupted load cannot be finished: {_first_line(cause)}; fix that and load "
            f"again, or delete {warehouse.working_directory} to discard its data"
        ) from failure


def _upgrade(warehouse: Warehouse) -> None:
    try:
        warehouse.upgrade(TABLES)
    except DltException as failure:
        *_, cause = interrupted.causes(failure)
        raise LoadError(
            f"the raw tables of an earlier version cannot be upgraded: {_first_line(cause)}"
        ) from failure


def _roomier(warehouse: Warehouse, failure: PipelineStepFailed) -> Warehouse | None:
    """Return the warehouse with more memory, if the failure was a lack of memory."""
    found = map(warehouse.roomier, interrupted.causes(failure))
    return next(filter(None, found), None)


def drop(warehouse: Warehouse) -> None:
    """Remove the raw data, dlt's own tables and its working files."""
    pipeline = _pipeline(warehouse)
    warehouse.drop(pipeline)
    interrupted.forget(pipeline)


def _pipeline(warehouse: Warehouse, progress: Any = None) -> dlt.Pipeline:
    directory = warehouse.working_directory
    if not _is_readable(directory / _NAME / dlt.Pipeline.STATE_FILE):
        shutil.rmtree(directory / _NAME)  # the next load reads its data again
    make_folder(directory)
    return dlt.pipeline(
        _NAME,
        pipelines_dir=str(directory),
        destination=warehouse.destination(),
        dataset_name=RAW_DATASET,
        progress=progress,
    )


def _is_readable(state: Path) -> bool:
    try:
        json.loads(state.read_bytes())
    except FileNotFoundError:
        return True
    except ValueError:
        return False
    return True


def _source(
    customer: Customer,
    selection: Selection,
    ledger: LedgerReader | None,
    counts: Counts | None = None,
) -> DltSource:
    if ledger and (problem := ledger.future_read(customer.customer_id)):
        raise LoadError(f"customer {customer.name}: {problem}")
    known = EarlierLoads()
    if ledger and selection.replay_from:
        # Needed to check whose recording it is; a replay ignores the age of the data.
        known = ledger.products(customer.customer_id)
    elif ledger and counts is None:  # a plan does not upgrade the tables
        known = ledger.known(customer.customer_id)
    elif ledger:
        known = ledger.known_to_load(customer.customer_id)
    # Selected tests are read whole anyway, and must be found among the known ones.
    is_due = bool(selection.test_ids) or not selection.is_full
    return testio(
        api_token=customer.api_token,
        customer_id=customer.customer_id,
        base_url=customer.base_url,
        product_ids=selection.product_ids,
        test_ids=selection.test_ids,
        known=known if is_due else replace(known, read_at={}),
        record_to=archive_of(selection.record_to, customer),
        replay_from=archive_of(selection.replay_from, customer),
        accept_deletions=selection.accept_deletions,
        accept_account_change=selection.accept_account_change,
        counts=counts,
    )


def archive_of(archive: str, customer: Customer) -> str:
    """Return the customer's own folder in an archive; empty without an archive."""
    return str(Path(archive) / customer.name) if archive else ""


def _reason(failure: DltException, customer: Customer) -> str:
    """Return the cause that the user can act on."""
    cause: BaseException = failure
    for cause in interrupted.causes(failure):
        if isinstance(cause, NothingReadError):
            return f"nothing could be read from {customer.shown_url}: {cause}"
        if isinstance(cause, LoaderError):
            return str(cause)
    if not isinstance(failure, PipelineStepFailed):
        return _first_line(cause)
    advice = "; the next load tries this again first" if failure.has_pending_data else ""
    return f"{failure.step} failed: {_first_line(cause)}{advice}"


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
