"""The dlt pipeline: where rows go, and what makes a load all or nothing."""

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
    """What a load of one customer did, as its own ledger has it."""

    customer: str
    endpoints: list[EndpointReport]
    problems: list[str]
    """What is incomplete, and why."""
    remarks: list[str]
    """What was noticed though nothing is missing."""
    attribution: Attribution


@dataclass(frozen=True)
class EndpointPlan:
    """What a load would read of one endpoint, and the fewest calls that it takes."""

    endpoint: str
    scopes: int
    calls: int


@dataclass(frozen=True)
class PlanReport:
    """What a load of one customer would read."""

    customer: str
    endpoints: list[EndpointPlan]
    problems: list[str]
    """Lists that could not be read, and why."""
    remarks: list[str]
    """Deletions that would be accepted."""


@dataclass(frozen=True)
class Selection:
    """What of an account a load is to read; all that can have changed, if nothing is named."""

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

    A load that was interrupted is finished first, or undone if that is no longer possible.
    `counts` goes up meanwhile; `progress` is one of dlt's collectors.

    Raises:
        LoadError: if nothing could be read, or what was read could not be landed, or what was
            read before is of a time still to come.
        WarehouseBusyError: if somebody else has the warehouse before anything is read.
        WarehouseError: if it is no use before anything is read.
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
        # What a load has read that lost its lock is older than what another one may have landed.
        if failure.step == "extract" or any(
            isinstance(c, LostLockError) for c in interrupted.causes(failure)
        ):
            interrupted.forget(pipeline)
        raise LoadError(f"customer {customer.name}: {_reason(failure, customer)}") from failure
    except (WarehouseError, WarehouseBusyError) as failure:  # it was fine when reading began
        waiting = "; what was read lands at the next load" if pipeline.has_pending_data else ""
        raise LoadError(f"customer {customer.name}: {failure}{waiting}") from failure


def plan(warehouse: Warehouse, customer: Customer, selection: Selection) -> PlanReport:
    """Return what `load` would read; only the lists are read, nothing lands.

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
    """Return whether a load has left behind what `settle` would bring to an end."""
    directory = warehouse.working_directory
    if not (directory / _NAME).exists():
        return False
    try:
        return dlt.attach(_NAME, str(directory)).has_pending_data
    except CannotRestorePipelineException:
        return False


def settle(warehouse: Warehouse) -> None:
    """Bring the warehouse to the end of a load: the interrupted one's, or else the one before.

    Raises:
        LoadError: if what an interrupted load has read can land, but not now, or if the tables
            of an earlier version cannot be changed.
    """
    warehouse.prepare()
    try:
        with warehouse.opened():
            interrupted.finish(_pipeline(warehouse), warehouse, TABLES)
            # Only now: what was interrupted may be a load of a version that knew no record key.
            _upgrade(warehouse)
    except PipelineStepFailed as failure:
        if roomier := _roomier(warehouse, failure):
            settle(roomier)
            return
        *_, cause = interrupted.causes(failure)
        raise LoadError(
            f"a load that was interrupted waits: {_first_line(cause)}; load again when that is "
            f"mended, or give up what was read: delete {warehouse.working_directory}"
        ) from failure


def _upgrade(warehouse: Warehouse) -> None:
    try:
        warehouse.upgrade(TABLES)
    except DltException as failure:
        *_, cause = interrupted.causes(failure)
        raise LoadError(
            f"the raw tables of an earlier version cannot be changed: {_first_line(cause)}"
        ) from failure


def _roomier(warehouse: Warehouse, failure: PipelineStepFailed) -> Warehouse | None:
    """Return the warehouse with more memory to land in, if it failed for want of that."""
    found = map(warehouse.roomier, interrupted.causes(failure))
    return next(filter(None, found), None)


def drop(warehouse: Warehouse) -> None:
    """Remove what loads have made: the raw data, dlt's tables beside it, and its working files."""
    pipeline = _pipeline(warehouse)
    warehouse.drop(pipeline)
    interrupted.forget(pipeline)


def _pipeline(warehouse: Warehouse, progress: Any = None) -> dlt.Pipeline:
    directory = warehouse.working_directory
    if not _is_readable(directory / _NAME / dlt.Pipeline.STATE_FILE):
        shutil.rmtree(directory / _NAME)  # what it had to land is read again
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
        # Only to see whose recording it is; how old other data are does not matter to it.
        known = ledger.products(customer.customer_id)
    elif ledger and counts is None:  # a plan only looks: tables can be of an earlier version
        known = ledger.known(customer.customer_id)
    elif ledger:
        known = ledger.known_to_load(customer.customer_id)
    return testio(
        api_token=customer.api_token,
        customer_id=customer.customer_id,
        base_url=customer.base_url,
        product_ids=selection.product_ids,
        test_ids=selection.test_ids,
        known=replace(known, read_at={}) if selection.is_full else known,
        record_to=archive_of(selection.record_to, customer),
        replay_from=archive_of(selection.replay_from, customer),
        accept_deletions=selection.accept_deletions,
        accept_account_change=selection.accept_account_change,
        counts=counts,
    )


def archive_of(archive: str, customer: Customer) -> str:
    """Return the customer's own folder in an archive."""
    return str(Path(archive) / customer.name) if archive else ""


def _reason(failure: DltException, customer: Customer) -> str:
    """Return what the person at the keyboard can act on."""
    cause: BaseException = failure
    for cause in interrupted.causes(failure):
        if isinstance(cause, NothingReadError):
            return f"nothing could be read from {customer.shown_url}: {cause}"
        if isinstance(cause, LoaderError):
            return str(cause)
    if not isinstance(failure, PipelineStepFailed):
        return _first_line(cause)
    again = "; the next load first tries again" if failure.has_pending_data else ""
    return f"{failure.step} failed: {_first_line(cause)}{again}"


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
