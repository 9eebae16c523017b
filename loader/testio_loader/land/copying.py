"""Copies the raw tables of a DuckDB file to another warehouse: every version, and the ledger.

Later loads continue there, and dbt builds the same models from the copy.
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
"""Size of a batch that is written: at most this many rows, or fewer if they are large."""
_VECTOR = 2_048
"""DuckDB reads this many rows at once, whatever batch size is requested."""


def copy(source: DuckDbFile, target: CopyTarget) -> dict[str, int]:
    """Copy the raw tables, and return the number of rows per table.

    Raises:
        WarehouseError: if the target has raw data already.
        WarehouseBusyError: if another process uses one of the two.
        LoadError: if an interrupted load cannot be finished now.
    """
    settle(source)  # else the copy lacks an interrupted load
    target.prepare()
    if target.exists():
        raise WarehouseError(
            f"{target.name} has raw data already, so nothing was copied; to replace the data, run "
            "`testio-loader drop` first"
        )
    with source.opened(read_only=True), duckdb.connect(str(source.path), read_only=True) as db:
        # Arrow's default offsets have 32 bits, which limits the texts of a batch to 2 GB.
        db.execute("set TimeZone = 'UTC'; set arrow_large_buffer_size = true")
        names = [*(table.name for table in TABLES), "_dlt_loads"]
        return target.fill(
            (name, _cut(db.sql(f"from {quoted(RAW_DATASET, name)}").to_arrow_reader(_VECTOR)))
            for name in names
        )


def _cut(reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """Merge or split batches, so that each has at most `_ROWS` rows and about `_BYTES` bytes."""
    schema = pa.schema(
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
        table = pa.Table.from_batches(parts).cast(schema).combine_chunks()
        (batch,) = table.to_batches() or [pa.RecordBatch.from_pylist([], schema)]
        return batch

    return pa.RecordBatchReader.from_batches(schema, batches())


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
