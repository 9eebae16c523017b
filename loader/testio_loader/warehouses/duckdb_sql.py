"""How DuckDB files are attached, and names and texts written in SQL."""

import shutil
from pathlib import Path

import duckdb

STORAGE_VERSION = "v1.0.0"
"""The newest that DuckDB 1.x clients, most BI tools among them, can open."""


def attach(
    connection: duckdb.DuckDBPyConnection, file: Path, name: str, *, read_only: bool = False
) -> None:
    """Attach a file under a name; one that is created can be read by DuckDB 1.x as well."""
    options = "" if file.exists() else f" (storage_version '{STORAGE_VERSION}')"
    options = " (read_only)" if read_only else options
    connection.execute(f"attach {literal(str(file))} as {name}{options}")


def remove(file: Path, spilled: Path) -> None:
    """Remove a file, its log, and the folder with what did not fit into memory."""
    for path in (file, file.with_name(f"{file.name}.wal")):
        path.unlink(missing_ok=True)
    shutil.rmtree(spilled, ignore_errors=True)


def quoted(*parts: str) -> str:
    """Return the name of something in SQL."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def literal(text: str) -> str:
    """Return a text in SQL, where a parameter cannot stand."""
    return "'" + text.replace("'", "''") + "'"
