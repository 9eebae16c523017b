"""Finishes or undoes a load that was interrupted.

dlt repeats the step that was interrupted. If the step had already ended, its rows would land twice.
So all rows that the load has landed are removed, and its package lands from the start: the
package keeps all data that the load has read until all of it has landed.
"""

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import dlt
from dlt.common.storages.load_package import PackageStorage, ParsedLoadJobFileName
from dlt.pipeline.exceptions import PipelineStepFailed

from testio_loader.tables import Table
from testio_loader.warehouses import Warehouse

_NEW, _SCHEMA_UPDATES = PackageStorage.NEW_JOBS_FOLDER, "schema_updates.json"
_FOLLOW_UPS = ("sql", "reference")
logger = logging.getLogger(__name__)


def finish(pipeline: dlt.Pipeline, warehouse: Warehouse, tables: tuple[Table, ...]) -> None:
    """Finish an interrupted load; undo it if its data is lost or can never land.

    Raises:
        PipelineStepFailed: if the data cannot land now, but may land at another attempt.
    """
    _reset(pipeline, warehouse, tables)
    if pipeline.has_pending_data:
        try:
            pipeline.normalize()
            _land(pipeline, warehouse)
        except PipelineStepFailed as failure:
            if _may_pass(failure, warehouse):
                raise
            *_, cause = causes(failure)
            logger.warning("An interrupted load cannot be finished, so it is undone: %s", cause)
            warehouse.take_back(tables)
        else:
            logger.info("Finished an interrupted load.")
    forget(pipeline)


def land_again(pipeline: dlt.Pipeline, warehouse: Warehouse, tables: tuple[Table, ...]) -> None:
    """Land the data of a load that has just failed to land it.

    Raises:
        PipelineStepFailed: if it fails again.
    """
    _reset(pipeline, warehouse, tables)
    _land(pipeline, warehouse)


def _land(pipeline: dlt.Pipeline, warehouse: Warehouse) -> None:
    landed = pipeline.load()
    for load_id in landed.loads_ids if landed else ():
        warehouse.complete(load_id)


def _reset(pipeline: dlt.Pipeline, warehouse: Warehouse, tables: tuple[Table, ...]) -> None:
    """Reset warehouse and packages to the state before any row of an unfinished load landed."""
    completed = warehouse.take_back(tables)
    extracted, normalized = (
        Path(pipeline.working_dir, *folders)
        for folders in (("normalize", "extracted"), ("load", "normalized"))
    )
    for package in filter(Path.is_dir, normalized.glob("*")):
        # dlt deletes the extracted files only after it has moved the normalized package here. If
        # they are still there, dlt would normalize them again, and fail.
        shutil.rmtree(extracted / package.name, ignore_errors=True)
        if package.name in completed:  # only its files are left
            shutil.rmtree(package)
        else:
            _reset_package(package)
    if normalized.parent.exists():
        normalized.mkdir(exist_ok=True)  # dlt creates its parent a moment earlier


def causes(failure: BaseException) -> Iterator[BaseException]:
    """Yield a failure, its cause, the cause of that, and so on."""
    cause: BaseException | None = failure
    while cause is not None:
        yield cause
        cause = getattr(cause, "client_exception", None) or cause.__cause__


def forget(pipeline: dlt.Pipeline) -> None:
    """Delete dlt's working files: its state is in the warehouse, the rest is API data."""
    folder = Path(pipeline.working_dir)
    # Renamed first: whenever the process is killed, the folder is whole or gone.
    deleted = folder.with_name(f".{folder.name}")
    shutil.rmtree(deleted, ignore_errors=True)
    if folder.exists():
        folder.rename(deleted)
    shutil.rmtree(deleted, ignore_errors=True)


def _reset_package(package: Path) -> None:
    """Reset a package to the state before any of its rows landed."""
    for job in list(package.glob("*_jobs/*")):
        name = ParsedLoadJobFileName.parse(job.name)
        if name.file_format in _FOLLOW_UPS:  # dlt creates them again after the jobs they follow
            job.unlink()
        else:
            job.rename(package / _NEW / name._replace(retry_count=0).file_name())
    for folder in (PackageStorage.PENDING_TRANSITIONS_FOLDER, PackageStorage.EXCEPTIONS_FOLDER):
        for file in (package / folder).glob("*"):
            file.unlink()
    if not (package / _SCHEMA_UPDATES).exists():  # without it, dlt does not empty staging tables
        (package / _SCHEMA_UPDATES).write_text("{}", encoding="utf-8")


def _may_pass(failure: BaseException, warehouse: Warehouse) -> bool:
    """Return whether the data may land at another attempt: with more disk space, for example."""
    cause: BaseException | None = failure
    while cause is not None:
        if warehouse.may_pass(cause):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
