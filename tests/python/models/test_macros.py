"""Each operation of macros/engine finds on each engine what is expected."""

from pathlib import Path

import pytest
from commands import PROJECT
from conftest import Loaded
from engines import DuckDB, Postgres
from macro_cases import LISTED, assert_macros

pytestmark = pytest.mark.slow


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def test_macros_find_on_duckdb_what_is_expected(loaded: Path) -> None:
    assert_macros(DuckDB(loaded), _quoted)


@pytest.mark.postgres
def test_macros_find_on_postgres_what_is_expected(cluster: Postgres, undisturbed: Loaded) -> None:
    postgres = cluster.another("macros")
    postgres.copy_raw(undisturbed.path)
    postgres.dbt("run", "--select", "+stg_products")  # which brings the function that macros call
    assert_macros(postgres, _quoted)


def test_what_differs_is_told() -> None:
    told = (PROJECT / "docs" / "engines.md").read_text()
    assert [given for given in LISTED if f"`{given}`" not in told] == []
