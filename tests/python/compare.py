"""Whether engines agree: each model's rows as one hash, which goes by neither types nor order.

To compare what has been built, with an environment that says where it is:
`python tests/python/compare.py target/manifest.json duckdb postgres`
"""

import json
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from engines import ENGINES, DuckDB, Engine, Row


class Fingerprint(NamedTuple):
    """How many rows there are, and a hash of them that counts each as often as it is there."""

    rows: int
    hash: str


def models(manifest: Path) -> dict[str, dict[str, Any]]:
    """Return the node of each model that all engines have, by its name on any engine."""
    return {
        f"{node['schema']}.{node['alias']}": node
        for node in json.loads(manifest.read_text())["nodes"].values()
        if node["resource_type"] == "model" and "base" not in node["fqn"]
    }


def relations(manifest: Path) -> list[str]:
    return sorted(models(manifest))


def fingerprint(columns: Iterable[str], rows: Iterable[Row]) -> Fingerprint:
    count, total = 0, 0
    for row in rows:
        count += 1
        total += int.from_bytes(_digest([_plain(value) for value in row]))
    return Fingerprint(count, _digest([list(columns), total]).hex()[:16])


def fingerprints(engine: Engine, names: Iterable[str]) -> dict[str, Fingerprint]:
    return {name: fingerprint(*engine.query(f"select * from {name}")) for name in names}


def table(found: Mapping[str, Mapping[str, Fingerprint]]) -> str:
    """Return a table of the fingerprints by engine and relation; it marks where they differ."""
    first = next(iter(found.values()))
    width = max(map(len, first))
    lines = ["  ".join([f"{'relation':{width}}", "    rows", *(f"{name:16}" for name in found)])]
    for name, of_first in first.items():
        each = [of_engine[name] for of_engine in found.values()]
        mark = "" if len(set(each)) == 1 else "  differs: " + ", ".join(str(e.rows) for e in each)
        hashes = [e.hash for e in each]
        lines.append("  ".join([f"{name:{width}}", f"{of_first.rows:8}", *hashes]) + mark)
    return "\n".join(lines)


def different(found: Mapping[str, Mapping[str, Fingerprint]]) -> set[str]:
    first, *others = found.values()
    return {name for name in first if any(other[name] != first[name] for other in others)}


def assert_same(duckdb: DuckDB, other: Engine) -> None:
    """Compare all models; a failure shows the table of both."""
    names = relations(duckdb.path.parent / "target" / "manifest.json")
    found = {engine.target: fingerprints(engine, names) for engine in (duckdb, other)}
    assert different(found) == set(), table(found)


def _digest(value: Any) -> bytes:
    return blake2b(repr(value).encode(), digest_size=16).digest()


def _plain(value: Any) -> Any:
    """Return a value as it is whatever type an engine gives it: moments are in UTC."""
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(UTC).replace(tzinfo=None)
    return value


if __name__ == "__main__":
    names = relations(Path(sys.argv[1]))
    found = {name: fingerprints(ENGINES[name](), names) for name in sys.argv[2:]}
    print(table(found))
    sys.exit(bool(different(found)))
