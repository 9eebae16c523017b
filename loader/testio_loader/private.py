"""Creates files and folders that only their owner can read: they contain a company's bugs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_GROUP_AND_OTHERS = 0o077


@contextmanager
def owner_only() -> Iterator[int]:
    """Create files and folders that only their owner can read; yield the previous umask.

    DuckDB and dlt create files with the umask, which applies to the whole process.
    """
    umask = os.umask(_GROUP_AND_OTHERS)
    try:
        yield umask
    finally:
        os.umask(umask)


def make_folder(folder: Path) -> None:
    """Create a folder and its parents for their owner only; existing folders keep their mode."""
    for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        missing.mkdir(mode=0o777 & ~_GROUP_AND_OTHERS, exist_ok=True)
