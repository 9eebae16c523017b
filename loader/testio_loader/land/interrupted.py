"""What a load leaves behind that was cut short, and how it is brought to its end or undone.

dlt repeats the steps of which it cannot tell whether they were done. Repeating one that was done
would land rows twice, so all that such a load has landed is taken back, and it lands from the
start: what it has read is in its package until all has landed.
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

_NEW, _CHANGED = PackageStorage.NEW_JOBS_FOLDER, "schema_updates.json"
_FOLLOW_UPS = ("sql", "reference")
logger = logging.getLogger(__name__)


def finish(pipeline: dlt.Pipeline, warehouse: Warehouse, tables: tuple[Table, ...]) -> None:
    """Bring the warehouse to the end of a load: the interrupted one's, or else the one before.

    Raises:
        PipelineStepFailed: if what was read still cannot land, but may when tried again.
    """
    _begin_again(pipeline, warehouse, tables)
    if pipeline.has_pending_data:
        try:
            pipeline.normalize()
            _land(pipeline, warehouse)
        except PipelineStepFailed as failure:
            if _may_pass(failure, warehouse):
                raise
            *_, cause = causes(failure)
            logger.warning("An interrupted load cannot be finished; it is undone: %s", cause)
            warehouse.take_back(tables)
        else:
            logger.info("Finished a load that was interrupted.")
    forget(pipeline)


def land_again(pipeline: dlt.Pipeline, warehouse: Warehouse, tables: tuple[Table, ...]) -> None:
    """Land what a load could not land that has just failed.

    Raises:
        PipelineStepFailed: if it still cannot land.
    """
    _begin_again(pipeline, warehouse, tables)
    _land(pipeline, warehouse)


def _land(pipeline: dlt.Pipeline, warehouse: Warehouse) -> None:
    landed = pipeline.load()
    for load_id in landed.loads_ids if landed else ():
        warehouse.complete(load_id)


def _begin_again(pipeline: dlt.Pipeline, warehouse: Warehouse, tables: tuple[Table, ...]) -> None:
    """Make warehouse and packages as they were before anything had landed of what is not whole."""
    landed = warehouse.take_back(tables)
    extracted, normalized = (
        Path(pipeline.working_dir, *folders)
        for folders in (("normalize", "extracted"), ("load", "normalized"))
    )
    for package in filter(Path.is_dir, normalized.glob("*")):
        # What it was made from goes only when it is complete; dlt would make it again, and fail.
        shutil.rmtree(extracted / package.name, ignore_errors=True)
        if package.name in landed:  # all but its files was done
            shutil.rmtree(package)
        else:
            _rewind(package)
    if normalized.parent.exists():
        normalized.mkdir(exist_ok=True)  # dlt makes it after the folder that it is in


def causes(failure: BaseException) -> Iterator[BaseException]:
    """Yield a failure, what caused it, and so on."""
    cause: BaseException | None = failure
    while cause is not None:
        yield cause
        cause = getattr(cause, "client_exception", None) or cause.__cause__


def forget(pipeline: dlt.Pipeline) -> None:
    """Delete dlt's working files: what it needs it finds in the warehouse, the rest is raw text."""
    folder = Path(pipeline.working_dir)
    doomed = folder.with_name(f".{folder.name}")  # whole or gone, whenever we die
    shutil.rmtree(doomed, ignore_errors=True)
    if folder.exists():
        folder.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)


def _rewind(package: Path) -> None:
    """Make a package as it was before anything of it had landed."""
    for job in list(package.glob("*_jobs/*")):
        name = ParsedLoadJobFileName.parse(job.name)
        if name.file_format in _FOLLOW_UPS:  # made anew when what they depend on has landed
            job.unlink()
        else:
            job.rename(package / _NEW / name._replace(retry_count=0).file_name())
    for folder in (PackageStorage.PENDING_TRANSITIONS_FOLDER, PackageStorage.EXCEPTIONS_FOLDER):
        for file in (package / folder).glob("*"):
            file.unlink()
    if not (package / _CHANGED).exists():  # without it, staging tables keep what they have
        (package / _CHANGED).write_text("{}", encoding="utf-8")


def _may_pass(failure: BaseException, warehouse: Warehouse) -> bool:
    """Return whether what was read may land another time: when there is room, for example."""
    cause: BaseException | None = failure
    while cause is not None:
        if warehouse.may_pass(cause):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
