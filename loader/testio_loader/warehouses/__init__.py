"""The warehouses that raw data can land in: one module per kind, with the methods of `base`."""

from testio_loader.warehouses.base import (
    CopyTarget,
    LostLockError,
    Warehouse,
)
from testio_loader.warehouses.raw import RAW_DATASET

__all__ = [
    "RAW_DATASET",
    "CopyTarget",
    "LostLockError",
    "Warehouse",
]
