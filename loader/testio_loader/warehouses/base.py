"""The interface that a load needs from every kind of warehouse."""

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
    """This load lost its lock, so another load may be writing. dlt does not retry after it."""


class Warehouse(ABC):
    """The raw tables of all customers, to which one load at a time writes.

    The methods that are implemented here work for any database that dlt has a SQL client for.
    """

    file_format: ClassVar[TLoaderFileFormat]
    """The format of the files that dlt loads."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The name that users see, without credentials."""

    @property
    @abstractmethod
    def working_directory(self) -> Path:
        """The folder where dlt keeps the files of unfinished loads."""

    @abstractmethod
    def destination(self, *, read_only: bool = False) -> Destination[Any, Any]:
        """Return the destination for dlt."""

    @abstractmethod
    def exists(self) -> bool:
        """Return whether there may be raw data: the file, the schema or a raw table exists."""

    @abstractmethod
    def prepare(self) -> None:
        """Make the warehouse ready for writing.

        Raises:
            WarehouseError: if that fails.
        """

    @abstractmethod
    def opened(self, *, read_only: bool = False) -> AbstractContextManager[None]:
        """Keep the warehouse open; if only one process can open it, others stay out.

        Raises:
            WarehouseBusyError: if another process has it open.
            WarehouseError: if it cannot be opened.
        """

    @abstractmethod
    def locked(self) -> AbstractContextManager[None]:
        """Hold the lock for one load at a time; it is released if this process dies.

        If the lock can get lost during a load, all later writes raise LostLockError.

        Raises:
            WarehouseBusyError: if another load is running.
        """

    @abstractmethod
    def holder(self) -> str:
        """Return the process that is loading now, or an empty text."""

    @abstractmethod
    def findings(self) -> Iterator[tuple[bool, str]]:
        """Yield the findings of `check`: whether each is fine, and its text."""

    @abstractmethod
    def may_pass(self, error: BaseException) -> bool:
        """Return whether an operation that failed with this error may succeed later."""

    @abstractmethod
    def erase(self, customer_id: int) -> int:
        """Delete a customer from all tables of loader and dbt; return the number of rows.

        Raises:
            WarehouseBusyError: if another process has the warehouse open.
            WarehouseError: if it fails; erasing again completes it.
        """

    def elsewhere(self, customer_id: int) -> list[str]:
        """Return the tables in other schemas that may have rows of a customer; `erase` keeps them.

        Somebody else may own them, or dbt built them with a profile that sets another schema.
        """
        return []

    def adapt(self, source: DltSource) -> None:  # noqa: B027 - few need it
        """Change how dlt writes the rows of a source, if this kind of warehouse needs it."""

    def complete(self, load_id: str) -> None:  # noqa: B027 - few need it
        """Record that a load is complete, if dlt does not do it."""

    def drop(self, pipeline: dlt.Pipeline) -> None:
        """Remove the raw tables, and dlt's own tables beside them."""
        with self.opened(), pipeline.destination_client() as client:
            _drop_storage(client)
            if isinstance(client, WithStagingDataset):
                with client.with_staging_dataset():
                    _drop_storage(client)

    def select(
        self, sql: str, *parameters: Any, read_only: bool = False
    ) -> Sequence[Sequence[Any]]:
        """Run a query with `{table}` for a raw table; return no rows before the first load."""
        return raw.select(raw_client(self.destination(read_only=read_only)), sql, *parameters)

    def take_back(self, tables: Sequence[Table]) -> set[str]:
        """Delete the rows of loads that never completed, and reopen the versions that they closed.

        Staging ignores these rows, but the next merge would treat them as current.

        Returns:
            The ids of all loads that completed.
        """
        with raw_client(self.destination()) as client:
            return raw.take_back(client, tables)

    def roomier(self, error: BaseException) -> "Warehouse | None":
        """Return this warehouse with more memory, if the error is a lack of memory."""
        return None

    def upgrade(self, tables: Sequence[Table]) -> None:
        """Add the columns that a load needs and that tables of earlier versions do not have.

        Without the record key, the next merge would not find the version that it must close.
        """
        with raw_client(self.destination()) as client:
            raw.upgrade(client, tables)


class CopyTarget(Warehouse):
    """A warehouse that can receive a copy of a DuckDB file."""

    @abstractmethod
    def fill(self, tables: Iterable[tuple[str, pa.RecordBatchReader]]) -> dict[str, int]:
        """Write copies of raw tables to an empty warehouse; return the number of rows per table."""


def refuse_unfit_folder(folder: Path) -> None:
    """Raise WarehouseError if dlt cannot work in a folder because of a character in its path.

    dlt 1.31 puts paths of files unescaped into SQL, and into a template that interprets `%`. DuckDB
    reads a backslash as a slash, and `a=1` in the path of a Parquet file as a column.
    """
    if unfit := _UNFIT_IN_FOLDER.search(str(folder)):
        raise WarehouseError(
            f"{str(folder)!r}: loads do not work in a folder with {unfit[0]!r} in its path; "
            "rename the folder, or use another one"
        )


def this_process() -> str:
    """Return how messages to other users name this process."""
    return f"process {os.getpid()} on {socket.gethostname()}"


def _drop_storage(client: JobClientBase) -> None:
    if client.is_storage_initialized():
        client.drop_storage()
