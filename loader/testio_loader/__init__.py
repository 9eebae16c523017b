"""Loads data from the Test IO Customer API into a warehouse.

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
_MODULES = {
    "IncompleteLoadError": "errors",
    "raise_if_incomplete": "land.completeness",
    "testio": "source",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use, because importing dlt takes half a second."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
