"""What a raw table is, and the two beside those of the endpoints: the ledger and the quarantine."""

from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

ColumnType = Literal["bigint", "text", "bool", "timestamp"]
RECORD_KEY = "record_key"
"""The column that tells records apart, across customers.

dlt joins the texts of several merge keys, and so takes bug 145 of customer 2 for bug 45 of
customer 21. This column can be null for dlt, as it is added to tables that have rows already.
"""

TEST_HASH = "test_hash"
"""The ledger's column that tells whether the rest of a test is what it was when its details were
last read. Null wherever that is not known for sure: then they are read."""

LOAD_ID = "_dlt_load_id"
"""dlt's column that tells rows of completed loads from others; dlt adds none to Arrow tables."""

_ARROW_TYPES: dict[ColumnType, pa.DataType] = {
    "bigint": pa.int64(),
    "text": pa.string(),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}


@dataclass(frozen=True)
class Table:
    """A raw table. Columns whose name is in `required` are never null."""

    name: str
    columns: dict[str, ColumnType]
    required: frozenset[str]
    key: tuple[str, ...] = ("customer_id", "id")
    """The columns that tell its records apart."""

    @property
    def is_versioned(self) -> bool:
        """Whether rows are versions of records; else they are events, which are only added."""
        return "content_hash" in self.columns

    def to_arrow(self, rows: list[dict[str, Any]], load_id: str) -> pa.Table:
        """Return the rows of a load in the form that dlt lands without looking into them."""
        schema = pa.schema(
            pa.field(name, _ARROW_TYPES[kind], nullable=name not in self.required)
            for name, kind in self.columns.items()
        )
        load_ids = pa.array([load_id] * len(rows), pa.string())
        field = pa.field(LOAD_ID, pa.string(), nullable=False)
        return pa.Table.from_pylist(rows, schema).append_column(field, load_ids)

    def hints(self) -> dict[str, Any]:
        """Return what dlt is told about the table: its columns and how rows are written.

        Of a record every version is kept: dlt adds a row where the content hash is new, and closes
        the version before.
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
    """Return the key of a record; all ids but the last have digits only, so no two share one."""
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
