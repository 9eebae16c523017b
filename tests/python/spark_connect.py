"""Spark 4 as one more engine of the tests: a server, and raw tables as folders of Parquet files.

Its dbt and its client have an environment of their own, as Spark 3.5 is beside pytest.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow
from commands import run_dbt
from engines import Row, free_port

_BIN = Path(sys.prefix, "spark4", "bin")
_CLIENT = """
import json, sys
import pyarrow
from pyspark.sql import SparkSession

session = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
session.conf.set("spark.sql.session.timeZone", "UTC")
for line in sys.stdin:
    found = session.sql(json.loads(line)).toArrow()
    with pyarrow.ipc.new_stream(sys.stdout.buffer, found.schema) as stream:
        stream.write_table(found)
    sys.stdout.buffer.flush()
"""


class SparkConnect:
    """Spark by a server of which only the address is known."""

    target = "spark_connect"

    def __init__(self, folder: Path, address: str, client: "subprocess.Popen[bytes]") -> None:
        self.folder = folder
        """Where dbt writes what it writes, and raw is."""
        self.environment = {
            "TESTIO_SPARK_REMOTE": address,
            # dbt asks for Hive's catalog with each statement; the server's is what it is.
            "PYTHONWARNINGS": "ignore:Failed to set spark.sql.catalogImplementation",
        }
        self._client = client

    def dbt(self, *arguments: str, status: int = 0) -> str:
        return run_dbt(
            self.folder / "none.duckdb", *arguments, "--target", self.target,
            status=status, environment=self.environment, program=_BIN / "dbt",
        )  # fmt: skip

    def query(self, sql: str) -> tuple[list[str], list[Row]]:
        """Ask in a session like any other one: dbt's is not in ANSI mode, this one is."""
        assert self._client.stdin
        assert self._client.stdout
        self._client.stdin.write(json.dumps(sql).encode() + b"\n")
        self._client.stdin.flush()
        with pyarrow.ipc.open_stream(self._client.stdout) as stream:
            found = stream.read_all()
        columns = [_in_utc(column).to_pylist() for column in found.columns]
        return found.column_names, list(zip(*columns, strict=True))

    def copy_raw(self, path: Path) -> None:
        """Land what a DuckDB file has landed, half of it when there are views already."""
        raw = self.folder / "raw"
        with duckdb.connect(str(path), read_only=True) as connection:
            tables = connection.execute(
                "select table_name from duckdb_tables() where schema_name = 'testio_raw'"
            ).fetchall()
            for half in range(2):
                for (table,) in tables:
                    (raw / table).mkdir(parents=True, exist_ok=True)
                    connection.execute(
                        f"copy (select * from testio_raw.{table} where rowid % 2 = {half}) "
                        f"to '{raw / table / str(half)}.parquet'"
                    )
                if half == 0:
                    given = json.dumps({"folder": str(raw)})
                    self.dbt("run-operation", "spark_views_of_parquet", "--args", given)


def _in_utc(column: Any) -> Any:
    """Return a column of moments as they are in UTC, without a time zone; any other as it is."""
    moments = pyarrow.types.is_timestamp(column.type)
    return column.cast(pyarrow.timestamp("us")) if moments else column


@contextmanager
def server(folder: Path) -> Iterator[SparkConnect]:
    """Run a server on two cores, whose tables are in the folder; give Spark behind it."""
    port = free_port()
    settings = {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": port,
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.warehouse.dir": folder / "warehouse",
        "spark.ui.enabled": "false",
    }
    command = [_BIN / "spark-submit", "--master", "local[2]"]
    command += ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer"]
    for name, value in settings.items():
        command += ["--conf", f"{name}={value}"]
    path = f"{_BIN}:{os.environ['PATH']}"
    with (
        (folder / "server.log").open("w") as log,
        subprocess.Popen(
            [*command, "spark-internal"],
            env={**os.environ, "PATH": path, "SPARK_LOCAL_IP": "127.0.0.1"},
            cwd=folder,
            stdout=log,
            stderr=log,
        ) as process,
    ):
        try:
            _await_server(port)
            address = f"sc://127.0.0.1:{port}"
            with subprocess.Popen(
                [_BIN / "python", "-c", _CLIENT, address],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            ) as client:
                yield SparkConnect(folder, address, client)
        finally:
            process.terminate()


def _await_server(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError("the server did not answer within a minute")
