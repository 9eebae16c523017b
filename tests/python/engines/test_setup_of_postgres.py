"""docs/engines.md, followed line by line on an empty server: TLS, two roles, and a pooler."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from certificates import authority, certificate
from commands import PROJECT
from commands import run as command
from conftest import CUSTOMER_ID, configured, small_account
from engines import PASSWORD, PREFIX, Postgres, binaries
from pooler import pgbouncer

from testio_sandbox import serve

pytestmark = pytest.mark.postgres
_ADMIN = {"user": "admin", "dbname": "postgres"}


def blocks(language: str) -> list[str]:
    """Return what people are to type to set up PostgreSQL."""
    text = (PROJECT / "docs" / "engines.md").read_text(encoding="utf-8")
    section = text.partition("## PostgreSQL\n\n### Set up")[2].partition("\n### ")[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


def exported(block: str, **instead: str) -> dict[str, str]:
    """Return the variables that a block sets; some have to be the test's own."""
    found = dict(re.findall(r"^export (\w+)=(\S+)", block, re.MULTILINE))
    assert set(instead) <= set(found)
    return found | instead


@pytest.fixture
def certified(cluster: Postgres, tmp_path: Path) -> Iterator[Path]:
    """The authority's certificate; the server has one that is signed by it, for localhost."""
    with tempfile.TemporaryDirectory() as home:
        trusted = authority(Path(home), "trusted")
        signed, key = certificate(Path(home), "localhost", trusted)
        for path in (home, signed, key):
            shutil.chown(path, "postgres" if os.geteuid() == 0 else None, -1)
        key.chmod(0o600)
        for path in (trusted, signed, key):
            shutil.copy(path, tmp_path)
        settings = {"ssl_cert_file": signed, "ssl_key_file": key, "ssl": "on"}
        with cluster.cursor(**_ADMIN) as cursor:
            for name, value in settings.items():
                cursor.execute(f"alter system set {name} = '{value}'")
            cursor.execute("select pg_reload_conf(), pg_sleep(1)")
            yield tmp_path / "trusted.pem"
            for name in settings:
                cursor.execute(f"alter system reset {name}")
            cursor.execute("select pg_reload_conf(), pg_sleep(1)")


@pytest.fixture
def server(cluster: Postgres) -> Iterator[Postgres]:
    """A server that has nothing of ours before the test, nor after it."""
    yield cluster
    with cluster.cursor(**_ADMIN) as cursor:
        cursor.execute("drop database if exists warehouse with (force)")
        for role in ("testio_loader", "testio_dbt", "reader_1"):
            cursor.execute(f"drop role if exists {role}")


def test_the_set_up_works_as_it_is_described(
    server: Postgres, certified: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 15, row 31: nothing was said of TLS, of roles and the database, nor of a pooler."""
    port = server.environment[f"{PREFIX}PORT"]
    (script,) = blocks("sql")
    (tmp_path / "setup.sql").write_text(script.replace("…", PASSWORD))
    subprocess.run(
        [binaries() / "psql", "--file", "setup.sql", "--set", "ON_ERROR_STOP=1", "--quiet"],
        env={
            "PGHOST": "127.0.0.1", "PGPORT": port, "PGUSER": "admin", "PGPASSWORD": PASSWORD,
            "PGDATABASE": "postgres",
        },
        check=True,
    )  # fmt: skip
    settings, steps = blocks("bash")
    given = exported(
        settings,
        **{
            "PGSSLROOTCERT": str(certified),
            f"{PREFIX}HOST": "localhost",
            f"{PREFIX}PORT": port,
            f"{PREFIX}PASSWORD": PASSWORD,
        },
    )
    as_dbt = exported(steps, **{f"{PREFIX}PASSWORD": PASSWORD})
    assert re.findall(r"^\.venv/bin/(.*)$", steps, re.MULTILINE) == [
        "testio-loader check",
        "testio-loader load",
        "dbt build --target postgres --exclude-resource-type unit_test",
    ]
    with server.cursor(**_ADMIN) as cursor:
        cursor.execute(f"create role reader_1 login password '{PASSWORD}'")
    with serve(small_account()) as sandbox:
        for name, value in {**configured(sandbox.url), **given}.items():
            monkeypatch.setenv(name, value)
        assert "not ok" not in command("check").stdout
        command("load")

        def build(postgres: Postgres) -> None:
            postgres.dbt(
                "run", "--select", "+dim_products", "--vars",
                f"customer_roles: {{reader_1: [{CUSTOMER_ID}]}}",
            )  # fmt: skip

        database = Postgres(tmp_path, {**given, **as_dbt})
        build(database)
        with database.cursor(user="reader_1") as cursor:
            cursor.execute("select count(*) from testio_marts.dim_products where product_id > 0")
            assert cursor.fetchone() == (3,)
            # What the document says that a role still sees.
            cursor.execute("select policyname from pg_policies")
            assert ("reader_1",) in cursor.fetchall()
        monkeypatch.setenv("PGSSLROOTCERT", str(authority(tmp_path, "other")))
        assert "certificate verify failed" in command("check", status=1).stdout

        # The same through a pooler, which speaks TLS on both sides.
        signed, key = tmp_path / "localhost.pem", tmp_path / "localhost.key"
        monkeypatch.setenv("PGSSLROOTCERT", str(certified))
        with pgbouncer(
            server,
            "session",
            "client_tls_sslmode = require",
            f"client_tls_cert_file = {signed}",
            f"client_tls_key_file = {key}",
            "server_tls_sslmode = verify-full",
            f"server_tls_ca_file = {certified}",
            host="localhost",
            readable=(signed, key, certified),
            users=("testio_loader", "testio_dbt", "loader"),
        ) as pooled:
            port = pooled.environment[f"{PREFIX}PORT"]
            monkeypatch.setenv(f"{PREFIX}PORT", port)
            assert "not ok" not in command("check").stdout
            command("load")
            build(Postgres(tmp_path, {**given, **as_dbt, f"{PREFIX}PORT": port}))
    monkeypatch.undo()  # for what follows the test connects without TLS
