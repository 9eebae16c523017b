"""Where raw data can land: one module a kind of warehouse, all with the operations of `base`."""

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
