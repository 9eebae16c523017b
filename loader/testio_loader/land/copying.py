"""Copies what has landed in a DuckDB file into another warehouse: every version, and the ledger.

Loads go on there as if they had always gone there, and dbt builds the same from it.
"""

from collections.abc import Iterator, Sequence

import duckdb
import pyarrow as pa

from testio_loader.api.endpoints import TABLES
from testio_loader.errors import WarehouseError
from testio_loader.land.pipeline import settle
from testio_loader.warehouses import RAW_DATASET, CopyTarget
from testio_loader.warehouses.duckdb_file import DuckDbFile
from testio_loader.warehouses.duckdb_sql import quoted

_ROWS, _BYTES = 10_000, 64_000_000
"""What is written at once: so many rows, or fewer where they are large."""
_VECTOR = 2_048
"""Rows that DuckDB reads at once, whatever is asked for."""


def copy(source: DuckDbFile, target: CopyTarget) -> dict[str, int]:
    """Copy the raw tables, and return how many rows each has.

    Raises:
        WarehouseError: if anything has landed in the target.
        WarehouseBusyError: if another process has one of the two.
    """
    settle(source)  # what is still to land would be left behind
    target.prepare()
    if target.exists():
        raise WarehouseError(
            f"{target.name} has raw data already, so nothing is copied; `testio-loader drop` "
            "would remove them"
        )
    with source.opened(read_only=True), duckdb.connect(str(source.path), read_only=True) as opened:
        # With the usual offsets of 32 bits, the texts of a batch end at 2 GB.
        opened.execute("set TimeZone = 'UTC'; set arrow_large_buffer_size = true")
        names = [*(table.name for table in TABLES), "_dlt_loads"]
        return target.fill(
            (name, _cut(opened.sql(f"from {quoted(RAW_DATASET, name)}").to_arrow_reader(_VECTOR)))
            for name in names
        )


def _cut(reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """Put batches together, or part them, so that each has about as much as is written at once."""
    usual = pa.schema(
        field.with_type(pa.string()) if field.type == pa.large_string() else field
        for field in reader.schema
    )

    def batches() -> Iterator[pa.RecordBatch]:
        waiting: list[pa.RecordBatch] = []
        for batch in reader:
            for part in _parts(batch):
                waiting.append(part)
                if _is_enough(waiting):
                    yield _joined(waiting)
                    waiting.clear()
        if waiting:
            yield _joined(waiting)

    def _joined(parts: list[pa.RecordBatch]) -> pa.RecordBatch:
        table = pa.Table.from_batches(parts).cast(usual).combine_chunks()
        (batch,) = table.to_batches() or [pa.RecordBatch.from_pylist([], usual)]
        return batch

    return pa.RecordBatchReader.from_batches(usual, batches())


def _parts(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    if batch.nbytes <= _BYTES or batch.num_rows == 1:
        yield batch
        return
    half = batch.num_rows // 2
    yield from _parts(batch.slice(0, half))
    yield from _parts(batch.slice(half))


def _is_enough(batches: Sequence[pa.RecordBatch]) -> bool:
    rows: int = sum(batch.num_rows for batch in batches)
    size: int = sum(batch.nbytes for batch in batches)
    return rows + _VECTOR > _ROWS or size >= _BYTES // 2
