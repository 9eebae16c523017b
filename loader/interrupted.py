"""What a load leaves behind that was cut short, and how it is brought to its end or undone.

dlt repeats the steps of which it cannot tell whether they were done. Repeating one that was done
would land rows twice, so all that such a load has landed is taken back, and it lands from the
start: what it has read is in its package until all has landed.
"""

import logging
import shutil
from pathlib import Path
from typing import Any

import dlt
import duckdb
from dlt.common.storages.load_package import PackageStorage, ParsedLoadJobFileName
from dlt.destinations.sql_client import SqlClientBase
from dlt.pipeline.exceptions import PipelineStepFailed

from loader.tables import Table

_NEW, _CHANGED = PackageStorage.NEW_JOBS_FOLDER, "schema_updates.json"
logger = logging.getLogger(__name__)


def finish(pipeline: dlt.Pipeline, tables: tuple[Table, ...]) -> None:
    """Bring the warehouse to the end of a load: the interrupted one's, or else the one before.

    Raises:
        PipelineStepFailed: if what was read still cannot land, but may when tried again.
    """
    landed = _take_back(pipeline, tables)
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
    if pipeline.has_pending_data:
        try:
            pipeline.normalize()
            pipeline.load()
        except PipelineStepFailed as failure:
            if is_passing(failure):
                raise
            logger.warning(
                "An interrupted load cannot be finished; it is undone: %s", root(failure)
            )
            _take_back(pipeline, tables)
        else:
            logger.info("Finished a load that was interrupted.")
    forget(pipeline)


def is_passing(failure: BaseException) -> bool:
    """Return whether what was read may land another time: when there is room, for example."""
    cause: BaseException | None = failure
    while cause is not None:
        if isinstance(cause, OSError | duckdb.OperationalError | duckdb.FatalException):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def root(failure: BaseException) -> BaseException:
    """Return what a failure is due to in the end."""
    while failure.__cause__ is not None:
        failure = failure.__cause__
    return failure


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
        if name.file_format == "sql":  # made anew when what it depends on has landed
            job.unlink()
        else:
            job.rename(package / _NEW / name._replace(retry_count=0).file_name())
    for folder in (PackageStorage.PENDING_TRANSITIONS_FOLDER, PackageStorage.EXCEPTIONS_FOLDER):
        for file in (package / folder).glob("*"):
            file.unlink()
    if not (package / _CHANGED).exists():  # without it, staging tables keep what they have
        (package / _CHANGED).write_text("{}", encoding="utf-8")


def _take_back(pipeline: dlt.Pipeline, tables: tuple[Table, ...]) -> set[str]:
    """Delete the rows of loads that never completed, and reopen the versions that they closed.

    Left where they are, they would be taken for current by the next merge, though staging does not
    read them. Return the ids of all loads that did complete.
    """
    with pipeline.sql_client() as client:
        named = "select table_name from information_schema.tables where table_schema = %s"
        existing = {name for (name,) in client.execute_sql(named, client.dataset_name) or []}
        if "_dlt_loads" not in existing:
            return set()
        loads = client.make_qualified_table_name("_dlt_loads")
        completed = f"select load_id from {loads} where status = 0"
        with client.begin_transaction():
            for table in tables:
                if table.name in existing:
                    _delete_except(completed, table, client)
        return {load_id for (load_id,) in client.execute_sql(completed) or []}


def _delete_except(completed: str, table: Table, client: SqlClientBase[Any]) -> None:
    qualified = client.make_qualified_table_name(table.name)
    broken = f"_dlt_load_id not in ({completed})"
    if table.is_versioned:
        client.execute_sql(
            f"update {qualified} set _dlt_valid_to = null where _dlt_valid_to in "
            f"(select _dlt_valid_from from {qualified} where {broken})"
        )
    client.execute_sql(f"delete from {qualified} where {broken}")
