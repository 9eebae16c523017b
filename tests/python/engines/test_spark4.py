"""The models give the same on Spark 4, over Connect and in ANSI mode, as on DuckDB."""

from pathlib import Path

import pytest
from compare import assert_same, fingerprint, fingerprints, models
from engines import DuckDB, made_on_duckdb
from macro_cases import TAKEN_FOR_JSON_BY_SPARK, assert_macros
from spark import quoted
from spark_connect import SparkConnect

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def made_of_hostile(hostile: Path) -> DuckDB:
    return made_on_duckdb(hostile)


def test_what_has_landed_is_the_same_on_spark_4(
    made_of_hostile: DuckDB, built_spark4: SparkConnect
) -> None:
    """Though half of it has landed when its views were there already."""
    assert_same(made_of_hostile, built_spark4)


def test_models_find_the_same_in_ansi_mode(
    made_of_hostile: DuckDB, built_spark4: SparkConnect
) -> None:
    """As Databricks has it; dbt's own sessions on Spark switch it off."""
    target = built_spark4.folder / "target"
    found = {}
    for name, node in models(target / "manifest.json").items():
        # A contract has an order of columns, whatever that of the query is.
        columns, _ = made_of_hostile.query(f"select * from {name} limit 0")
        sql = (target / "compiled/testio" / node["original_file_path"]).read_text()
        rows = built_spark4.query(f"select {', '.join(columns)} from (\n{sql}\n)")
        found[name] = fingerprint(*rows)
    assert found == fingerprints(made_of_hostile, found)


def test_macros_find_in_ansi_mode_what_is_expected(built_spark4: SparkConnect) -> None:
    _, rows = built_spark4.query("set spark.sql.ansi.enabled")
    assert rows == [("spark.sql.ansi.enabled", "true")]
    assert_macros(built_spark4, quoted, TAKEN_FOR_JSON_BY_SPARK)
