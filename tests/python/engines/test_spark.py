"""The models give the same on a cluster of Spark 3.5 with Iceberg tables as on DuckDB."""

from pathlib import Path

import pytest
from compare import assert_same
from engines import made_on_duckdb
from macro_cases import TAKEN_FOR_JSON_BY_SPARK, assert_macros
from spark import Spark, quoted, tasks_by_executor

pytestmark = pytest.mark.spark


def test_whatever_has_landed_is_the_same_on_spark(
    battered_without_exponents: Path, built_spark: Spark
) -> None:
    """Though its raw tables are only added to, so that they have again what has not changed."""
    assert_same(made_on_duckdb(battered_without_exponents), built_spark)


def test_a_cluster_runs_it_on_each_of_its_executors(built_spark: Spark) -> None:
    tasks = tasks_by_executor(built_spark.folder)
    assert len(tasks) == 2
    assert min(tasks.values()) > 100, tasks


def test_spark_leaves_nothing_where_dbt_runs(built_spark: Spark) -> None:
    left = {path.name for path in built_spark.folder.iterdir()}
    assert not left & {"spark-warehouse", "metastore_db", "derby.log"}


def test_macros_find_what_is_expected(built_spark: Spark) -> None:
    assert_macros(built_spark, quoted, TAKEN_FOR_JSON_BY_SPARK)
