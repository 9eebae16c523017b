"""The script that dbt's build is measured against makes the same marts."""

import shutil
from pathlib import Path

import battery
import duckdb
import pytest
from benchmarks.floor import different_marts, run_floor
from commands import run_dbt

pytestmark = pytest.mark.slow

_THE_SECOND_OF_EACH_LIST_IS_GONE = """
update testio_raw.ledger
set ids = to_json(list_filter(from_json(ids, '["BIGINT"]'), lambda id, place: place <> 2))
where _dlt_load_id = (select max(_dlt_load_id) from testio_raw.ledger)
"""


def test_the_script_makes_the_same_marts(hostile: Path, warehouse: Path) -> None:
    shutil.copy(hostile, warehouse)
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(_THE_SECOND_OF_EACH_LIST_IS_GONE)
    battery.land(warehouse)
    run_dbt(warehouse, "run", "--select", "+marts")
    run_floor(warehouse)
    assert different_marts(warehouse) == []
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("update floor.fct_bugs set title = title || '!' where bug_id % 100 = 0")
        connection.execute("alter table floor.dim_tests drop column title")
        connection.execute("drop table floor.dim_dates")
    assert different_marts(warehouse) == ["dim_dates", "dim_tests", "fct_bugs"]
