"""Attaches and removes DuckDB files, and quotes names and texts for SQL."""

import shutil
from pathlib import Path

import duckdb

STORAGE_VERSION = "v1.0.0"
"""The newest version that DuckDB 1.x clients, such as most BI tools, can open."""


def attach(
    connection: duckdb.DuckDBPyConnection, file: Path, name: str, *, read_only: bool = False
) -> None:
    """Attach a file under a name; if it creates the file, DuckDB 1.x can also read it."""
    options = "" if file.exists() else f" (storage_version '{STORAGE_VERSION}')"
    options = " (read_only)" if read_only else options
    connection.execute(f"attach {literal(str(file))} as {name}{options}")


def remove(file: Path, spilled: Path) -> None:
    """Remove a file, its write-ahead log, and the folder that DuckDB spilled to."""
    for path in (file, file.with_name(f"{file.name}.wal")):
        path.unlink(missing_ok=True)
    shutil.rmtree(spilled, ignore_errors=True)


def quoted(*parts: str) -> str:
    """Return a qualified name, quoted for SQL."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def literal(text: str) -> str:
    """Return a text as a SQL literal, where SQL accepts no parameter."""
    return "'" + text.replace("'", "''") + "'"
