"""Whoever may only read a warehouse sees how it stands, and publishes what is in it."""

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from commands import run
from conftest import Loaded
from test_places import pass_build

from testio_loader.errors import PublishError
from testio_loader.publish.publishing import publish
from testio_loader.warehouses.duckdb_file import DuckDbFile

pytestmark = pytest.mark.slow

PROGRAM = Path(sys.executable).with_name("testio-loader")
_PR_CAPBSET_DROP, _DAC_OVERRIDE, _DAC_READ_SEARCH = 24, 1, 2
"""Of prctl(2) and capabilities(7)."""


def _obey_permissions() -> None:
    """Let root's next program obey the modes of files, as everybody else's does."""
    for capability in (_DAC_OVERRIDE, _DAC_READ_SEARCH):
        ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)


def run_as_reader(folder: Path, *arguments: object) -> str:
    """Run a command as somebody who may read the folder's files and write in `mine` only."""
    mine = folder / "mine"
    mine.mkdir(exist_ok=True)
    folder.chmod(0o555)
    try:
        done = subprocess.run(
            [PROGRAM, *map(str, arguments)],
            cwd=mine,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            preexec_fn=_obey_permissions if os.geteuid() == 0 else None,
        )
    finally:
        folder.chmod(0o755)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("has_lock", [True, False])
def test_who_may_only_read_sees_the_status_and_publishes(
    has_lock: bool, undisturbed: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 15, Messages: no lock can be made or read, and there may be no folder for it."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    warehouse = Path(shutil.copy(undisturbed.path, folder / "warehouse.duckdb"))
    pass_build(warehouse)
    warehouse.chmod(0o444)
    monkeypatch.setenv("TESTIO_DUCKDB_PATH", str(warehouse))
    if has_lock:
        with DuckDbFile(warehouse).locked():
            pass
        (folder / ".testio").chmod(0o000)
    assert "(7)" in run_as_reader(folder, "status")
    assert '"customer_id": 7' in run_as_reader(folder, "status", "--json")
    for name, format_ in (("marts.db", "duckdb"), ("parquet", "parquet")):
        to = folder / "mine" / f"to {name}"
        assert "Published 1 tables" in run_as_reader(
            folder, "publish", "--to", to, "--format", format_
        )
        assert to.exists()
    with duckdb.connect(str(folder / "mine" / "to marts.db"), read_only=True) as connection:
        assert connection.execute("select count(*) > 0 from marts.fct_bugs").fetchone() == (True,)
    assert {path.name for path in folder.iterdir()} - {".testio"} == {"mine", "warehouse.duckdb"}


def test_who_may_write_is_still_kept_apart_from_a_load(loaded: Path) -> None:
    """Issue 15, Messages."""
    pass_build(loaded)
    with DuckDbFile(loaded).locked():
        assert "is being loaded by" in run("publish", "--to", "to.db", status=1).stderr


def test_two_do_not_publish_to_one_folder_at_once(
    loaded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 15, Messages: they would take each other's half-written file for their own."""
    from testio_loader.publish import publishing

    pass_build(loaded)
    to, attach = tmp_path / "to.db", publishing.attach
    refused: list[str] = []

    def meanwhile(*arguments: object, **options: object) -> None:
        monkeypatch.setattr(publishing, "attach", attach)
        with pytest.raises(PublishError) as error:
            publish(loaded, to)
        refused.append(str(error.value))
        attach(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(publishing, "attach", meanwhile)
    publish(loaded, to)
    assert len(refused) == 1
    assert "another process is publishing to" in refused[0]
