"""Defines raw tables, and the two that belong to no endpoint: the ledger and the quarantine."""

from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

ColumnType = Literal["bigint", "text", "bool", "timestamp"]
RECORD_KEY = "record_key"
"""The column that identifies a record across customers.

dlt concatenates several merge keys, so it confuses bug 145 of customer 2 with bug 45 of customer
21. The column is nullable for dlt because older tables get it when they already have rows.
"""

TEST_HASH = "test_hash"
"""The ledger's column with a hash of the rest of a test when its details were last read. Details
wait only while the hash stays the same. Null means unknown, so the details are read."""

LOAD_ID = "_dlt_load_id"
"""dlt's column with the id of the load that wrote a row. It shows whether that load has completed.
dlt does not add it to Arrow tables."""

_ARROW_TYPES: dict[ColumnType, pa.DataType] = {
    "bigint": pa.int64(),
    "text": pa.string(),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}


@dataclass(frozen=True)
class Table:
    """A raw table. The columns in `required` are never null."""

    name: str
    columns: dict[str, ColumnType]
    required: frozenset[str]
    key: tuple[str, ...] = ("customer_id", "id")
    """The columns that identify a record."""

    @property
    def is_versioned(self) -> bool:
        """Whether rows are versions of records. Other rows are events, which are only appended."""
        return "content_hash" in self.columns

    def to_arrow(self, rows: list[dict[str, Any]], load_id: str) -> pa.Table:
        """Return the rows of a load as an Arrow table: dlt writes it without checking each row."""
        schema = pa.schema(
            pa.field(name, _ARROW_TYPES[kind], nullable=name not in self.required)
            for name, kind in self.columns.items()
        )
        load_ids = pa.array([load_id] * len(rows), pa.string())
        field = pa.field(LOAD_ID, pa.string(), nullable=False)
        return pa.Table.from_pylist(rows, schema).append_column(field, load_ids)

    def hints(self) -> dict[str, Any]:
        """Return the table's dlt hints: its columns and its write disposition.

        Every version of a record is kept: if the content hash is new, dlt adds a row and closes the
        previous version.
        """
        columns = {
            name: {"data_type": kind, "nullable": name not in self.required}
            for name, kind in self.columns.items()
        }
        columns[LOAD_ID] = {"data_type": "text", "nullable": False}
        if not self.is_versioned:
            return {"columns": columns, "write_disposition": "append"}
        versions = {
            "disposition": "merge",
            "strategy": "scd2",
            "row_version_column_name": "content_hash",
        }
        return {
            "columns": columns,
            "write_disposition": versions,
            "merge_key": RECORD_KEY,
        }


def record_key(*ids: int | str | None) -> str:
    """Return the key of a record. It is unique because all ids but the last have only digits."""
    return "-".join(map(str, ids))


_SCOPE: dict[str, ColumnType] = {
    "customer_id": "bigint",
    "endpoint": "text",
    "product_id": "bigint",
    "test_id": "bigint",
}
LEDGER = Table(
    "ledger",
    {
        **_SCOPE,
        "is_complete": "bool",
        "outcome": "text",
        "record_count": "bigint",
        "quarantined_count": "bigint",
        "mended_count": "bigint",
        "repeated_count": "bigint",
        "claimed_count": "bigint",
        "ids": "text",
        "remarks": "text",
        "requests": "bigint",
        "tries": "bigint",
        "read_at": "timestamp",
        TEST_HASH: "text",
    },
    required=frozenset({"customer_id", "endpoint", "is_complete", "outcome", "ids", "read_at"}),
)
QUARANTINE = Table(
    "quarantine",
    {**_SCOPE, "reason": "text", "original": "text", "loaded_at": "timestamp"},
    required=frozenset({"customer_id", "endpoint", "reason", "original", "loaded_at"}),
)
