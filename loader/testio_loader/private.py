"""Keeps what holds a company's bugs readable for its owner only."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_OTHERS = 0o077


@contextmanager
def owner_only() -> Iterator[int]:
    """Create files and folders that only their owner can read; yield the umask there was.

    DuckDB and dlt create files by the umask, which belongs to the whole process.
    """
    umask = os.umask(_OTHERS)
    try:
        yield umask
    finally:
        os.umask(umask)


def make_folder(folder: Path) -> None:
    """Create a folder, and what it is in, for their owner only; one that exists keeps its mode."""
    for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        missing.mkdir(mode=0o777 & ~_OTHERS, exist_ok=True)
