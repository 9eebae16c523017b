"""A DuckDB file that the loader writes and dbt builds in, and who may write to it."""

import contextlib
import errno
import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlparse

import dlt
import duckdb
from dlt.common.destination import Destination
from dlt.common.typing import TLoaderFileFormat

from testio_loader.errors import ConfigurationError, WarehouseBusyError, WarehouseError
from testio_loader.private import owner_only
from testio_loader.warehouses import duckdb_erasure, file_lock
from testio_loader.warehouses.base import Warehouse, refuse_unfit_folder
from testio_loader.warehouses.duckdb_sql import STORAGE_VERSION, attach

_SETTINGS = {
    "preserve_insertion_order": False,
    "threads": 1,
    # They hold all texts of 122,880 rows at once: with them, 200,000 bugs of 2 kB take over 400 MB
    # and cannot land. Without, raw takes half as much disk again (DuckDB 2.0.0).
    "disabled_compression_methods": "dictionary,fsst,dict_fsst",
}
_MEMORY = "100MB"
"""A merge of any size stays within it, as what does not fit goes to disk, but for large records:
DuckDB holds 2,048 of them at once."""
_MEMORY_LIMIT = "2GB"
_LARGEST_EMPTY_FILE = 1_000_000
"""Bytes; a larger file has tables, so it need not be opened to know."""
_SIZE = re.compile(r"[0-9]+(\.[0-9]+)? ?[KMGT]i?B", re.IGNORECASE)
_OUT_OF_MEMORY = re.compile("Out of Memory|could not allocate|failed to (allocate|pin)")
_TAKEN = {"main", "temp", "system", "memory", "information_schema", "pg_catalog"}
"""What DuckDB calls catalogs and schemas of its own."""
_UNFIT_IN_NAME = re.compile(r"""['"%=?\\\x00-\x1f\x7f]""")
"""dbt puts the name into SQL as it is, and dlt's working folder has it."""


def configured() -> "DuckDbFile":
    """Return the file that `TESTIO_DUCKDB_PATH` names, `warehouse.duckdb` by default.

    Raises:
        WarehouseError: if no warehouse can be there.
    """
    setting = os.environ.get("TESTIO_DUCKDB_PATH") or "warehouse.duckdb"
    path = Path(setting).absolute()
    _refuse_unfit(path, setting)
    if not path.parent.is_dir():
        raise WarehouseError(
            f"{path.parent} does not exist; create it, or change TESTIO_DUCKDB_PATH"
        )
    return DuckDbFile(path, _memory_limit())


def _memory_limit() -> str:
    limit: Any = dlt.config.get("sources.testio.duckdb_memory_limit")
    if limit is None:
        return _MEMORY_LIMIT
    if not _SIZE.fullmatch(str(limit)):
        raise ConfigurationError(
            f"duckdb_memory_limit is {limit!r}: set SOURCES__TESTIO__DUCKDB_MEMORY_LIMIT to a size "
            f"such as {_MEMORY_LIMIT}"
        )
    return str(limit)


def _refuse_unfit(path: Path, setting: str) -> None:
    """Raise WarehouseError if DuckDB, dlt or dbt cannot use a file because of its name."""
    refuse_unfit_folder(path.parent)
    name = path.name.partition(".")[0]
    by_dbt = Path(urlparse(setting).path).stem  # as dbt-duckdb 1.11 derives it
    if name.casefold() in _TAKEN:
        reason = f"DuckDB uses {name} as a name of its own"
    elif name.casefold().startswith("testio_"):
        reason = "DuckDB cannot tell a file from a schema of the same name"
    elif name != by_dbt:
        reason = f"DuckDB takes the name {name!r} from this path, dbt takes {by_dbt!r}"
    elif unfit := _UNFIT_IN_NAME.search(name):
        reason = f"dbt cannot use a name with {unfit[0]!r}"
    else:
        return
    raise WarehouseError(
        f"{str(path)!r}: {reason}; rename it to letters, digits, - and _, as warehouse.duckdb is, "
        "and set TESTIO_DUCKDB_PATH"
    )


@dataclass(frozen=True)
class DuckDbFile(Warehouse):
    """One file, which one process writes or many read."""

    path: Path
    memory_limit: str = _MEMORY_LIMIT
    """How much memory DuckDB may take to land what does not fit into less."""
    memory: str = field(default=_MEMORY, repr=False)
    """How much it may take now."""

    file_format: ClassVar[TLoaderFileFormat] = "parquet"

    @property
    def name(self) -> str:
        """The file's path."""
        return str(self.path)

    @property
    def working_directory(self) -> Path:
        """A folder beside the file, of the whole name: `wh.db` may stand beside `wh.duckdb`."""
        return self.path.parent / ".testio" / self.path.name

    def destination(self, *, read_only: bool = False) -> Destination[Any, Any]:
        """Return what dlt writes to."""
        # As a dict: dlt reads a path as a URL, with a library that takes 0.3 s to import.
        credentials = {"database": str(self.path)}
        if read_only:
            return dlt.destinations.duckdb(credentials=credentials | {"read_only": True})
        return dlt.destinations.duckdb(
            credentials=credentials | {"global_config": _SETTINGS | {"memory_limit": self.memory}},
            # Without transactions a merge that fails half-way leaves all rows of a table retired.
            supports_transactions=True,
        )

    def exists(self) -> bool:
        """Return whether the file is there."""
        return self.path.exists()

    def prepare(self) -> None:
        """Create the file, for its owner only, in a form that DuckDB 1.x can read as well.

        An existing file stays as it is, unless it is empty. dbt leaves an empty one when it runs
        before the first load: readable for anybody, and in a format that only DuckDB 2 opens.
        """
        if self._is_empty():
            self.path.resolve().unlink()
        if not self.path.exists():
            with owner_only(), duckdb.connect() as connection:
                attach(connection, self.path, "warehouse")

    def _is_empty(self) -> bool:
        try:
            if self.path.stat().st_size > _LARGEST_EMPTY_FILE:
                return False
            with duckdb.connect(str(self.path)) as connection:
                return not connection.execute(
                    "select 1 from duckdb_tables() union all select 1 from duckdb_sequences()"
                    " union all select 1 from duckdb_views() where not internal"
                    " union all select 1 from duckdb_types() where not internal"
                    " union all select 1 from duckdb_functions() where not internal limit 1"
                ).fetchone()
        except (OSError, duckdb.Error):
            return False  # opening it for the load reports the problem

    @contextlib.contextmanager
    def opened(self, *, read_only: bool = False) -> Iterator[None]:
        """Keep the file open, so that whatever opens it meanwhile is quick."""
        try:
            connection = duckdb.connect(str(self.path), read_only=read_only)
        except duckdb.IOException as error:
            if holder := re.search(r"held in (.+? \(PID [0-9]+\))", str(error)):
                raise WarehouseBusyError(
                    f"{self.path.name} is held open by {holder[1]}; close it there, or let it open "
                    "a copy, then try again"
                ) from error
            raise WarehouseError(f"{self.path} cannot be opened: {error}") from error
        # What DuckDB writes beside the file, its log above all, has rows as well.
        with connection, contextlib.nullcontext() if read_only else owner_only():
            yield

    def check(self, *, read_only: bool = False) -> None:
        """Raise WarehouseBusyError if another process has it open, WarehouseError if unusable."""
        with self.opened(read_only=read_only):
            pass

    def locked(self) -> AbstractContextManager[None]:
        """Be the only load, by a lock beside the file."""
        return file_lock.held(self._lock, self.path.name)

    @contextlib.contextmanager
    def locked_by_reader(self) -> Iterator[None]:
        """Let no load begin, as far as this user may: whoever may only read makes no lock."""
        with contextlib.ExitStack() as locked:
            try:
                locked.enter_context(self.locked())
            except OSError as error:
                if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
                    raise
            yield

    def holder(self) -> str:
        """Return who is loading at the moment; nothing if nobody is."""
        return file_lock.holder(self._lock)

    def findings(self) -> Iterator[tuple[bool, str]]:
        """Yield whether it can be written to, or created, and whether DuckDB 1.x can read it."""
        if not self.path.exists():
            can_create = os.access(self.path.parent, os.W_OK)
            yield (
                can_create,
                f"warehouse: {self.path} {'will' if can_create else 'cannot'} be created",
            )
            return
        self.check()
        yield True, f"warehouse: {self.path} is writable"
        version = self.storage_version()
        yield (
            version == STORAGE_VERSION,
            f"storage version: {version}; the newest that DuckDB 1.x clients can open is "
            f"{STORAGE_VERSION}",
        )

    def storage_version(self) -> str:
        """Return in which version of DuckDB's format the file is."""
        with duckdb.connect(str(self.path), read_only=True) as connection:
            tags = "select tags['storage_version'] from duckdb_databases() where path is not null"
            (version,) = connection.execute(tags).fetchone() or ("",)
        return str(version).partition("+")[0].strip()

    def may_pass(self, error: BaseException) -> bool:
        """Return whether it is for want of room, or the like."""
        return isinstance(error, OSError | duckdb.OperationalError | duckdb.FatalException)

    def roomier(self, error: BaseException) -> "DuckDbFile | None":
        """Return the same with all the memory that it may take, if it has not got that yet."""
        if self.memory == self.memory_limit or not _OUT_OF_MEMORY.search(str(error)):
            return None
        return replace(self, memory=self.memory_limit)

    def erase(self, customer_id: int) -> int:
        """Delete the customer's rows, and write the file anew without them."""
        return duckdb_erasure.erase(self.path, customer_id)

    def elsewhere(self, customer_id: int) -> list[str]:
        """Look at all tables whose `customer_id` is of the type that the models have."""
        return duckdb_erasure.elsewhere(self.path, customer_id)

    @property
    def _lock(self) -> Path:
        return self.working_directory / "lock"
