"""A warehouse in a DuckDB file, to which loader and dbt write, and the lock for one load."""

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
    # These methods hold all texts of 122,880 rows in memory: 200,000 bugs of 2 kB need over 400 MB
    # and cannot land. Without the methods, raw data needs 1.5 times the disk (DuckDB 2.0.0).
    "disabled_compression_methods": "dictionary,fsst,dict_fsst",
}
_MEMORY = "100MB"
"""Enough for a merge of any size, because DuckDB writes the rest to disk. Only large records need
more: DuckDB holds 2,048 of them in memory."""
_MEMORY_LIMIT = "2GB"
_LARGEST_EMPTY_FILE = 1_000_000
"""In bytes. A larger file must have tables, so it is not opened to look for them."""
_SIZE = re.compile(r"[0-9]+(\.[0-9]+)? ?[KMGT]i?B", re.IGNORECASE)
_OUT_OF_MEMORY = re.compile("Out of Memory|could not allocate|failed to (allocate|pin)")
_RESERVED_NAMES = {"main", "temp", "system", "memory", "information_schema", "pg_catalog"}
"""DuckDB uses these names for its own catalogs and schemas."""
_UNFIT_IN_NAME = re.compile(r"""['"%=?\\\x00-\x1f\x7f]""")
"""dbt puts the file name into SQL unescaped, and dlt's working folder has the same name."""


def configured() -> "DuckDbFile":
    """Return the file at `TESTIO_DUCKDB_PATH`, by default `warehouse.duckdb`.

    Raises:
        ConfigurationError: if the memory limit is not a size.
        WarehouseError: if the file cannot have this path.
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
    """Raise WarehouseError if DuckDB, dlt or dbt cannot use a file because of its path."""
    refuse_unfit_folder(path.parent)
    name = path.name.partition(".")[0]
    by_dbt = Path(urlparse(setting).path).stem  # as dbt-duckdb 1.11 derives it
    if name.casefold() in _RESERVED_NAMES:
        reason = f"DuckDB reserves the name {name}"
    elif name.casefold().startswith("testio_"):
        reason = "DuckDB would confuse the file with a schema of the same name"
    elif name != by_dbt:
        reason = f"DuckDB takes the name {name!r} from this path, dbt takes {by_dbt!r}"
    elif unfit := _UNFIT_IN_NAME.search(name):
        reason = f"dbt cannot use a name with {unfit[0]!r}"
    else:
        return
    raise WarehouseError(
        f"{str(path)!r}: {reason}; rename it, with only letters, digits, - and _ as in "
        "warehouse.duckdb, and set TESTIO_DUCKDB_PATH"
    )


@dataclass(frozen=True)
class DuckDbFile(Warehouse):
    """One file, which either one process writes or many processes read."""

    path: Path
    memory_limit: str = _MEMORY_LIMIT
    """The most memory that DuckDB may use, if rows cannot land with less."""
    memory: str = field(default=_MEMORY, repr=False)
    """The memory that DuckDB may use now."""

    file_format: ClassVar[TLoaderFileFormat] = "parquet"

    @property
    def name(self) -> str:
        """The file's path."""
        return str(self.path)

    @property
    def working_directory(self) -> Path:
        """A folder beside the file, with its full name: `wh.db` may be beside `wh.duckdb`."""
        return self.path.parent / ".testio" / self.path.name

    def destination(self, *, read_only: bool = False) -> Destination[Any, Any]:
        """Return the destination for dlt."""
        # A dict, because dlt parses a path as a URL, with a library that takes 0.3 s to import.
        credentials = {"database": str(self.path)}
        if read_only:
            return dlt.destinations.duckdb(credentials=credentials | {"read_only": True})
        return dlt.destinations.duckdb(
            credentials=credentials | {"global_config": _SETTINGS | {"memory_limit": self.memory}},
            # Without transactions, a merge that fails halfway leaves all rows of a table closed.
            supports_transactions=True,
        )

    def exists(self) -> bool:
        """Return whether the file exists."""
        return self.path.exists()

    def prepare(self) -> None:
        """Create the file, for its owner only, in a format that DuckDB 1.x can also read.

        An existing file is kept, unless it is empty. dbt creates an empty one if it runs before the
        first load: anybody can read it, and only DuckDB 2 can open its format.
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
            return False  # the load opens it next, and reports the problem

    @contextlib.contextmanager
    def opened(self, *, read_only: bool = False) -> Iterator[None]:
        """Keep the file open, so that opening it again meanwhile is fast."""
        try:
            connection = duckdb.connect(str(self.path), read_only=read_only)
        except duckdb.IOException as error:
            if holder := re.search(r"held in (.+? \(PID [0-9]+\))", str(error)):
                raise WarehouseBusyError(
                    f"{self.path.name} is held open by {holder[1]}; close it there, or open a copy "
                    "there, then try again"
                ) from error
            raise WarehouseError(f"{self.path} cannot be opened: {error}") from error
        # Files that DuckDB writes beside it, such as its write-ahead log, contain rows too.
        with connection, contextlib.nullcontext() if read_only else owner_only():
            yield

    def check(self, *, read_only: bool = False) -> None:
        """Raise WarehouseBusyError if another process has it open, WarehouseError if unusable."""
        with self.opened(read_only=read_only):
            pass

    def locked(self) -> AbstractContextManager[None]:
        """Hold the lock for one load at a time, a file in the working folder."""
        return file_lock.held(self._lock, self.path.name)

    @contextlib.contextmanager
    def locked_by_reader(self) -> Iterator[None]:
        """Keep loads from starting, unless this user has no permission to create the lock."""
        with contextlib.ExitStack() as locked:
            try:
                locked.enter_context(self.locked())
            except OSError as error:
                if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
                    raise
            yield

    def holder(self) -> str:
        """Return the process that is loading now, or an empty text."""
        return file_lock.holder(self._lock)

    def findings(self) -> Iterator[tuple[bool, str]]:
        """Yield whether the file can be written or created, and whether DuckDB 1.x can read it."""
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
        """Return the version of DuckDB's storage format that the file has."""
        with duckdb.connect(str(self.path), read_only=True) as connection:
            tags = "select tags['storage_version'] from duckdb_databases() where path is not null"
            (version,) = connection.execute(tags).fetchone() or ("",)
        return str(version).partition("+")[0].strip()

    def may_pass(self, error: BaseException) -> bool:
        """Return whether the cause may be temporary, such as a full disk."""
        return isinstance(error, OSError | duckdb.OperationalError | duckdb.FatalException)

    def roomier(self, error: BaseException) -> "DuckDbFile | None":
        """Return the file with its full memory limit, if memory ran out below the limit."""
        if self.memory == self.memory_limit or not _OUT_OF_MEMORY.search(str(error)):
            return None
        return replace(self, memory=self.memory_limit)

    def erase(self, customer_id: int) -> int:
        """Delete the customer's rows, and rewrite the file without them."""
        self.check()
        return duckdb_erasure.erase(self.path, customer_id)

    def elsewhere(self, customer_id: int) -> list[str]:
        """Search all tables whose `customer_id` has the same type as in the models."""
        return duckdb_erasure.elsewhere(self.path, customer_id)

    @property
    def _lock(self) -> Path:
        return self.working_directory / "lock"
