"""Lands the data of the Test IO Customer API in a warehouse.

Example:
    >>> import dlt
    >>> from testio_loader import raise_if_incomplete, testio
    >>> pipeline = dlt.pipeline("testio", destination="duckdb", dataset_name="testio_raw")
    >>> pipeline.run(testio())
    >>> raise_if_incomplete(pipeline)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from testio_loader.errors import IncompleteLoadError
    from testio_loader.land.completeness import raise_if_incomplete
    from testio_loader.source import testio

__all__ = ["IncompleteLoadError", "raise_if_incomplete", "testio"]
_HOMES = {
    "IncompleteLoadError": "errors",
    "raise_if_incomplete": "land.completeness",
    "testio": "source",
}


def __getattr__(name: str) -> Any:
    """Import a name only when it is asked for: dlt takes half a second to import."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
