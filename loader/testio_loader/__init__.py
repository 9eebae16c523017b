"""Lands the data of the Test IO Customer API in a warehouse: `from testio_loader import testio`."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from testio_loader.source import testio

__all__ = ["testio"]


def __getattr__(name: str) -> Any:
    """Import the source only when it is asked for: dlt takes half a second to import."""
    if name != "testio":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from testio_loader.source import testio

    return testio
