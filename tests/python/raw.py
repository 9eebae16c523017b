"""What the raw tables of a warehouse say, less what differs between two loads of one account."""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from testio_loader.api.endpoints import ENDPOINTS

Row = tuple[Any, ...]
_SIGNATURE = re.compile(r"signature=[0-9]+")
_COMPLETED = "_dlt_load_id in (select load_id from testio_raw._dlt_loads where status = 0)"


@dataclass(frozen=True)
class Raw:
    """The rows of each endpoint's table, each as often as it is there."""

    versions: dict[str, Counter[Row]] = field(default_factory=dict)
    """Key, content hash and payload, and whether a later version has closed it."""
    current: dict[str, Counter[Row]] = field(default_factory=dict)
    """What the models read: of each key the newest version that a completed load has landed."""
    ledger: dict[Row, Row] = field(default_factory=dict)
    """By endpoint, product and test: how the last read ended, and which ids it saw."""
    quarantine: Counter[Row] = field(default_factory=Counter)
    repeated: list[Row] = field(default_factory=list)
    """Loads, and scopes of a load, that were booked more than once."""

    @property
    def incomplete(self) -> dict[Row, str]:
        """The outcome of each scope whose last read is incomplete."""
        return {scope: row[1] for scope, row in self.ledger.items() if not row[0]}

    @property
    def present(self) -> dict[Row, str]:
        """The ids seen by the last read of each scope."""
        return {scope: row[2] for scope, row in self.ledger.items()}


def read(path: Path) -> Raw:
    with duckdb.connect(str(path), read_only=True) as connection:
        return read_from(connection)


def read_from(connection: duckdb.DuckDBPyConnection) -> Raw:
    def rows(sql: str) -> list[Row]:
        return [tuple(map(_unsigned, row)) for row in connection.execute(sql).fetchall()]

    versions, current = {}, {}
    for endpoint in ENDPOINTS:
        name, columns = endpoint.name, _columns(endpoint.table.columns)
        versions[name] = Counter(
            rows(f"select {columns}, _dlt_valid_to is null from testio_raw.{name}")
        )
        current[name] = Counter(
            rows(
                f"select {columns} from testio_raw.{name} where {_COMPLETED} qualify "
                "row_number() over (partition by customer_id, id "
                "order by loaded_at desc, content_hash desc) = 1"
            )
        )
    ledger = rows(
        "select endpoint, product_id, test_id, is_complete, outcome, ids, record_count, "
        "quarantined_count, mended_count, repeated_count, claimed_count "
        f"from testio_raw.ledger where {_COMPLETED} qualify row_number() over ("
        "partition by customer_id, endpoint, product_id, test_id order by read_at desc) = 1"
    )
    quarantine = rows(
        "select endpoint, product_id, test_id, reason, original "
        f"from testio_raw.quarantine where {_COMPLETED}"
    )
    repeated = rows(
        "select load_id, null, null, null from testio_raw._dlt_loads "
        "group by all having count(*) > 1 union all "
        "select _dlt_load_id, endpoint, product_id, test_id from testio_raw.ledger "
        "group by all having count(*) > 1"
    )
    ledger_by_scope = {row[:3]: row[3:] for row in ledger}
    return Raw(versions, current, ledger_by_scope, Counter(quarantine), repeated)


def differences(given: Raw, expected: Raw) -> list[str]:
    """Say in which records two warehouses differ, version by version."""
    return [
        f"{endpoint} {row[:3]}: {sign}{abs(count)}"
        for endpoint in given.versions
        for sign, more, less in (("+", given, expected), ("-", expected, given))
        for row, count in (more.versions[endpoint] - less.versions[endpoint]).items()
    ]


def doubled(given: Raw) -> list[Row]:
    """Return the keys that have more than one open version."""
    return [
        (endpoint, *key)
        for endpoint, rows in given.versions.items()
        for key, count in sum(
            (Counter({row[:2]: count}) for row, count in rows.items() if row[-1]), Counter[Row]()
        ).items()
        if count > 1
    ]


def ids(given: Raw, endpoint: str) -> set[Any]:
    return {row[1] for row in given.current[endpoint]}


def _columns(columns: dict[str, Any]) -> str:
    return ", ".join(name for name in columns if name != "loaded_at")


def _unsigned(value: Any) -> Any:
    return _SIGNATURE.sub("signature=", value) if isinstance(value, str) else value
