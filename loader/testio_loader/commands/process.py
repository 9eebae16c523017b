"""What the command line sets for its whole process, which no library may do."""

import contextlib
import ctypes
import os

DLT_SETTINGS = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    # The trace would keep configuration in a file, be there passwords in it or not.
    "PIPELINES__ENABLE_RUNTIME_TRACE": "false",
    # What has landed stays nowhere else.
    "LOAD__DELETE_COMPLETED_JOBS": "true",
    "LOAD__TRUNCATE_STAGING_DATASET": "true",
    "LOAD__WORKERS": "1",
    # What a load must know of earlier ones stands in the ledger; dlt's own state holds nothing.
    "RESTORE_FROM_DESTINATION": "false",
    # What is handed over at once is written at once: the source has cut it by size.
    "DATA_WRITER__BUFFER_MAX_ITEMS": "1",
}
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
"""Of mallopt(3)."""


def configure_dlt() -> None:
    """Configure dlt for loads that leave nothing behind."""
    os.environ.update(DLT_SETTINGS)


def keep_memory_small() -> None:
    """Let memory that was used once be used again.

    Arrow's own pool keeps what it got, and the C library has a pool for each thread: with both, a
    load of 200,000 bugs stays twice as large (glibc 2.36, ten threads). What is freed of large
    blocks goes back to the system, as holes among small ones would stay.
    """
    import pyarrow as pa

    pa.set_memory_pool(pa.system_memory_pool())
    with contextlib.suppress(AttributeError):  # no glibc, no such option
        c_library = ctypes.CDLL(None)
        c_library.mallopt(_M_ARENA_MAX, 1)
        c_library.mallopt(_M_MMAP_THRESHOLD, 128 * 1024)
