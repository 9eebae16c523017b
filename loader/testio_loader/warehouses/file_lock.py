"""A lock file for one load at a time on this machine; it names its holder."""

import contextlib
import fcntl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from testio_loader.errors import WarehouseBusyError
from testio_loader.private import make_folder
from testio_loader.warehouses.base import this_process


@contextlib.contextmanager
def held(lock: Path, name: str) -> Iterator[None]:
    """Hold the lock of the named warehouse; the system releases it if this process dies.

    Raises:
        WarehouseBusyError: if another process holds it.
    """
    make_folder(lock.parent)
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise WarehouseBusyError(
                f"{name} is being loaded by {_owner(lock)}; wait until it has ended"
            ) from error
        file.truncate(0)
        started = datetime.now(UTC).isoformat(timespec="seconds")
        file.write(f"{this_process()} since {started}")
        file.flush()
        yield


def holder(lock: Path) -> str:
    """Return the process that holds the lock, or an empty text."""
    # If this user may not open the file, the lock of DuckDB or of a database is enough.
    with contextlib.suppress(FileNotFoundError, PermissionError), lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _owner(lock)
    return ""


def _owner(lock: Path) -> str:
    return lock.read_text(encoding="utf-8").strip() or "another process"
