"""pgbouncer between the tests and their PostgreSQL server."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
from engines import PASSWORD, PREFIX, Postgres, free_port


def _program() -> str:
    """Return pgbouncer's program; Debian's package is installed if it is missing."""
    path = f"{os.environ['PATH']}:/usr/sbin"
    if not shutil.which("pgbouncer", path=path) and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        subprocess.run(["apt-get", "install", "-qq", "--yes", "pgbouncer"], check=False)
    if found := shutil.which("pgbouncer", path=path):
        return found
    reason = "pgbouncer is not installed"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def pgbouncer(
    database: Postgres,
    mode: str,
    *settings: str,
    host: str = "127.0.0.1",
    readable: Sequence[Path] = (),
    users: Sequence[str] = ("loader",),
) -> Iterator[Postgres]:
    """Run a pooler before the server, as long as this lasts; give the database behind it.

    The files that the settings name are copied to where the pooler can read them.
    """
    given, port = database.environment, free_port()
    # It refuses to run as root.
    as_server = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as home:
        passwords = Path(home, "users.txt")
        passwords.write_text("".join(f'"{user}" "{PASSWORD}"\n' for user in users))
        configuration = Path(home, "pgbouncer.ini")
        lines = [
            "[databases]",
            f"* = host={host} port={given[f'{PREFIX}PORT']}",
            "[pgbouncer]",
            "listen_addr = 127.0.0.1",
            f"listen_port = {port}",
            "unix_socket_dir =",
            "auth_type = scram-sha-256",
            f"auth_file = {passwords}",
            f"pool_mode = {mode}",
            *settings,
        ]
        text = "\n".join(lines) + "\n"
        for path in readable:
            text = text.replace(str(path), shutil.copy(path, home))
        configuration.write_text(text)
        for path in (home, *Path(home).iterdir()):
            shutil.chown(path, "postgres" if as_server else None, -1)
        with (
            Path(home, "log").open("w") as log,
            subprocess.Popen(
                [*as_server, _program(), configuration], stdout=log, stderr=log, cwd=home
            ) as process,
        ):
            behind = Postgres(database.folder, {**given, f"{PREFIX}PORT": str(port)})
            try:
                _await(behind, Path(home, "log"))
                yield behind
            finally:
                process.terminate()


def _await(behind: Postgres, log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            behind.query("select 1")
        except psycopg2.OperationalError:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        else:
            return
