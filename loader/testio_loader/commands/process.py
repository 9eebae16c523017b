"""Settings of the whole process: only the command line may make them, no library."""

import contextlib
import ctypes
import os

DLT_SETTINGS = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    # The trace would write configuration to a file, and that may include passwords.
    "PIPELINES__ENABLE_RUNTIME_TRACE": "false",
    # Landed data is kept only in the warehouse.
    "LOAD__DELETE_COMPLETED_JOBS": "true",
    "LOAD__TRUNCATE_STAGING_DATASET": "true",
    "LOAD__WORKERS": "1",
    # The ledger has what a load needs from earlier ones; dlt's own state is empty.
    "RESTORE_FROM_DESTINATION": "false",
    # Write each batch at once: the source has already limited its size.
    "DATA_WRITER__BUFFER_MAX_ITEMS": "1",
}
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
"""Parameters of mallopt(3)."""


def configure_dlt() -> None:
    """Configure dlt to leave no data outside the warehouse."""
    os.environ.update(DLT_SETTINGS)


def keep_memory_small() -> None:
    """Make the process reuse freed memory, or return it to the system.

    Arrow's memory pool keeps freed memory, and glibc has a pool per thread. With both, a load of
    200,000 bugs needs twice the memory (glibc 2.36, ten threads). Large blocks go back to the
    system when freed; otherwise, they would leave holes among small blocks.
    """
    import pyarrow as pa

    pa.set_memory_pool(pa.system_memory_pool())
    with contextlib.suppress(AttributeError):  # only glibc has mallopt
        c_library = ctypes.CDLL(None)
        c_library.mallopt(_M_ARENA_MAX, 1)
        c_library.mallopt(_M_MMAP_THRESHOLD, 128 * 1024)
