"""Erasing without room for a copy of the file: what is done, what is not, and how it goes on."""

import re
import shutil
from pathlib import Path

import duckdb
import pytest
from conftest import CUSTOMER_ID, SETTINGS, Loaded
from moments import loads

from testio_loader.errors import WarehouseError
from testio_loader.warehouses import duckdb_erasure

pytestmark = pytest.mark.slow

COMMAND = ("erase", "--customer", CUSTOMER_ID, "--yes")


def rows(path: Path) -> int:
    with duckdb.connect(str(path), read_only=True) as connection:
        (count,) = connection.execute("select count(*) from testio_raw.bugs").fetchone() or (0,)
    return int(count)


def test_without_room_for_the_copy_the_rows_are_deleted_and_erasing_again_does_the_rest(
    undisturbed: Loaded, tmp_path: Path
) -> None:
    """Issue 15, Messages: the rows are deleted, the file is still to be rewritten."""
    warehouse = Path(shutil.copy(undisturbed.path, tmp_path / "warehouse.duckdb"))
    other = rows(warehouse)
    with duckdb.connect(str(warehouse)) as connection:  # whose rows the copy would have
        connection.execute(
            "insert into testio_raw.bugs by name select * replace (8 as customer_id,"
            " repeat(md5(random()::text), 2000) as payload) from testio_raw.bugs"
        )
    marker = b"exploratory"
    with loads(SETTINGS) as running:
        for _ in range(2):
            status, output = running.run(warehouse, *COMMAND, room=300_000)
            assert status == 1
            assert output.count("\n") == 1, output
            assert re.search(
                r"the rows of customer_id 7 are deleted, but warehouse.duckdb still contains their "
                r"bytes because it was not rewritten: .*; make sure that the disk has room for a "
                r"copy of it, [0-9]+ MB, then erase again",
                output,
            )
            assert rows(warehouse) == other
        status, output = running.run(warehouse, *COMMAND)
        assert (status, rows(warehouse)) == (0, other)
    assert marker not in warehouse.read_bytes()
    assert {path.suffix for path in tmp_path.iterdir()} <= {".duckdb", ".log", ""}


def test_what_cannot_even_be_deleted_is_told_and_still_there(
    undisturbed: Loaded, tmp_path: Path
) -> None:
    """Issue 15, Messages: nothing is said to be deleted that is not."""
    warehouse = Path(shutil.copy(undisturbed.path, tmp_path / "warehouse.duckdb"))
    before = rows(warehouse)
    with loads(SETTINGS) as running:
        for room in (200, 1_000):
            status, output = running.run(warehouse, *COMMAND, room=room)
            assert status == 1
            assert output.count("\n") == 1, output
            assert ("are deleted" in output) == (rows(warehouse) == 0)
            if room == 200:
                assert "nothing of customer_id 7 was deleted" in output
                assert rows(warehouse) == before


def test_what_happens_between_deleting_and_rewriting_is_told_by_what_is_there(
    undisturbed: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 15, Messages."""
    warehouse = Path(shutil.copy(undisturbed.path, tmp_path / "warehouse.duckdb"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(duckdb_erasure, "_compare", full)
    with pytest.raises(
        WarehouseError, match=r"are deleted, but .*No space left on device; make sure"
    ):
        duckdb_erasure.erase(warehouse, CUSTOMER_ID)
    shutil.copy(undisturbed.path, warehouse)
    monkeypatch.setattr(duckdb_erasure, "_delete", full)
    with pytest.raises(WarehouseError, match=r"^nothing of customer_id 7 was deleted from"):
        duckdb_erasure.erase(warehouse, CUSTOMER_ID)
