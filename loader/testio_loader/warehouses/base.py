"""What a load needs of a warehouse, whichever it is."""

import os
import re
import socket
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ClassVar

import dlt
import pyarrow as pa
from dlt.common.destination import Destination
from dlt.common.destination.client import JobClientBase, WithStagingDataset
from dlt.common.exceptions import TerminalException
from dlt.common.typing import TLoaderFileFormat
from dlt.extract import DltSource

from testio_loader.errors import LoaderError, WarehouseError
from testio_loader.tables import Table
from testio_loader.warehouses import raw
from testio_loader.warehouses.raw import raw_client

_UNFIT_IN_FOLDER = re.compile(r"""['%=?\\\x00-\x1f\x7f]""")


class LostLockError(LoaderError, TerminalException):
    """Another load may write by now, so this one must not; dlt does not try again what ends so."""


class Warehouse(ABC):
    """A place with the raw tables of all customers, to which one load at a time writes.

    What is in here goes for any database that dlt has a SQL client for.
    """

    file_format: ClassVar[TLoaderFileFormat]
    """In which form dlt brings rows there."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What people know it by, without credentials."""

    @property
    @abstractmethod
    def working_directory(self) -> Path:
        """The folder where dlt keeps what is under way."""

    @abstractmethod
    def destination(self, *, read_only: bool = False) -> Destination[Any, Any]:
        """Return what dlt writes to."""

    @abstractmethod
    def exists(self) -> bool:
        """Return whether there is anything to read from."""

    @abstractmethod
    def prepare(self) -> None:
        """Make it ready to be written to.

        Raises:
            WarehouseError: if it cannot be.
        """

    @abstractmethod
    def opened(self, *, read_only: bool = False) -> AbstractContextManager[None]:
        """Keep it open, so that nobody comes between where only one can have it.

        Raises:
            WarehouseBusyError: if somebody else has it.
            WarehouseError: if it cannot be opened.
        """

    @abstractmethod
    def locked(self) -> AbstractContextManager[None]:
        """Be the only load; the lock is lifted if we die.

        Where a lock can be lost meanwhile, whatever writes afterwards raises LostLockError.

        Raises:
            WarehouseBusyError: if another load is under way.
        """

    @abstractmethod
    def holder(self) -> str:
        """Return who is loading at the moment; nothing if nobody is."""

    @abstractmethod
    def findings(self) -> Iterator[tuple[bool, str]]:
        """Yield what `check` can tell beforehand: whether it is fine, and what it is."""

    @abstractmethod
    def may_pass(self, error: BaseException) -> bool:
        """Return whether what fails with this error may succeed at another time."""

    @abstractmethod
    def erase(self, customer_id: int) -> int:
        """Remove a customer from all that loader and dbt have made; return how many rows.

        Raises:
            WarehouseBusyError: if somebody else has it.
            WarehouseError: if it cannot be done; doing it again does the rest.
        """

    def elsewhere(self, customer_id: int) -> list[str]:
        """Return the tables of other schemas that may have rows of a customer; erasing keeps them.

        They may be somebody else's, or what dbt has built by a profile with a schema of its own.
        """
        return []

    def adapt(self, source: DltSource) -> None:  # noqa: B027 - few have to
        """Change how the source's rows are to be written, where that must be another way."""

    def complete(self, load_id: str) -> None:  # noqa: B027 - few have to
        """Note that all of a load has landed, where dlt does not do it."""

    def drop(self, pipeline: dlt.Pipeline) -> None:
        """Remove the raw tables, and what dlt keeps beside them."""
        with self.opened(), pipeline.destination_client() as client:
            _drop_storage(client)
            if isinstance(client, WithStagingDataset):
                with client.with_staging_dataset():
                    _drop_storage(client)

    def select(
        self, sql: str, *parameters: Any, read_only: bool = False
    ) -> Sequence[Sequence[Any]]:
        """Run a query in which `{table}` stands for a raw table; no rows before the first load."""
        return raw.select(raw_client(self.destination(read_only=read_only)), sql, *parameters)

    def take_back(self, tables: Sequence[Table]) -> set[str]:
        """Delete the rows of loads that never completed, and reopen the versions that they closed.

        Left where they are, they would be taken for current by the next merge, though staging does
        not read them. Return the ids of all loads that did complete.
        """
        with raw_client(self.destination()) as client:
            return raw.take_back(client, tables)

    def roomier(self, error: BaseException) -> "Warehouse | None":
        """Return the same with more memory, if an error came for want of it."""
        return None

    def upgrade(self, tables: Sequence[Table]) -> None:
        """Give what an earlier version has landed the columns that are read before a load lands.

        Without its record key, the next merge would not find the version that it has to close.
        """
        with raw_client(self.destination()) as client:
            raw.upgrade(client, tables)


class CopyTarget(Warehouse):
    """A warehouse to which one can move from a DuckDB file."""

    @abstractmethod
    def fill(self, tables: Iterable[tuple[str, pa.RecordBatchReader]]) -> dict[str, int]:
        """Land raw tables as they are, where there are none; return how many rows each has."""


def refuse_unfit_folder(folder: Path) -> None:
    """Raise WarehouseError if dlt could not work in a folder because of what it is called.

    dlt 1.31 puts the path of a file into SQL, and into a template that takes `%`, as it is; DuckDB
    takes a backslash for a slash, and `a=1` in the path of a Parquet file for a column.
    """
    if unfit := _UNFIT_IN_FOLDER.search(str(folder)):
        raise WarehouseError(
            f"{str(folder)!r}: nothing can be loaded where a folder has {unfit[0]!r} in its name; "
            "rename the folder, or use another one"
        )


def this_process() -> str:
    """Return what others are told of who is loading."""
    return f"process {os.getpid()} on {socket.gethostname()}"


def _drop_storage(client: JobClientBase) -> None:
    if client.is_storage_initialized():
        client.drop_storage()
