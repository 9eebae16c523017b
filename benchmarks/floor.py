"""The floor of dbt's build: marts.sql makes the same marts by hand, in a schema of that file."""

import time
from pathlib import Path

import duckdb
import yaml

SCRIPT = Path(__file__).with_name("marts.sql")
PROFILES = Path(__file__).parents[1] / "profiles.yml.example"


def run_floor(warehouse: Path) -> float:
    """Make the marts in schema `floor`, with the settings of dbt; return the seconds."""
    settings = yaml.safe_load(PROFILES.read_text())["testio"]["outputs"]["dev"]["settings"]
    with duckdb.connect(str(warehouse)) as connection:
        for name, value in {**settings, "enable_progress_bar": False}.items():
            connection.execute(f"set {name} = '{value}'")
        started = time.monotonic()
        connection.execute(SCRIPT.read_text())
        return time.monotonic() - started


def different_marts(warehouse: Path) -> list[str]:
    """Return the marts that are not the same, in columns, types or rows, by dbt and by hand."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        by_dbt, by_hand = (_tables(connection, schema) for schema in ("testio_marts", "floor"))

        def differs(mart: str) -> bool:
            if by_dbt.get(mart) != by_hand.get(mart):
                return True
            columns = ", ".join(by_dbt[mart])
            dbt, hand = (f"select {columns} from {s}.{mart}" for s in ("testio_marts", "floor"))
            sql = f"({dbt} except all {hand}) union all ({hand} except all {dbt}) limit 1"
            return bool(connection.execute(sql).fetchall())

        return [mart for mart in sorted(by_dbt.keys() | by_hand.keys()) if differs(mart)]


def _tables(connection: duckdb.DuckDBPyConnection, schema: str) -> dict[str, dict[str, str]]:
    """Return each table's columns with their types."""
    tables: dict[str, dict[str, str]] = {}
    rows = connection.execute(
        "select table_name, column_name, data_type from information_schema.columns "
        "where table_schema = ?",
        [schema],
    )
    for table, column, type_ in rows.fetchall():
        tables.setdefault(table, {})[column] = type_
    return tables
