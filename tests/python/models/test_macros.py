"""Each operation of macros/engine finds on each engine what is expected."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from commands import PROJECT
from conftest import Loaded
from engines import DuckDB, Engine, Postgres
from macro_cases import LISTED, MACROS, Macro, Rows
from spark import Spark
from spark_connect import SparkConnect

pytestmark = pytest.mark.slow

_TAKEN_FOR_JSON_BY_SPARK = ("[1] x", '["\t"]', r'["\ud800"]', "{'a':[1]}")
"""The loader lands none of these: what has landed is valid and canonical."""
_SEPARATOR = "\n-- the next macro\n"


def _outcomes(
    engine: Engine, literal: Callable[[str], str], macros: Mapping[str, Macro]
) -> dict[str, dict[str, Rows]]:
    """Return what each macro finds for each text, with the macros rendered by one dbt."""
    queries = [macro.query for macro in macros.values()]
    rendered = engine.dbt("compile", "--inline", _SEPARATOR.join(queries))
    found: dict[str, dict[str, Rows]] = {}
    for (name, macro), sql in zip(macros.items(), rendered.split(_SEPARATOR), strict=True):
        texts = list(macro.expected)
        cases = " union all ".join(
            f"select {number} as case_number, {literal(text)} as given"
            for number, text in enumerate(texts)
        )
        _, rows = engine.query(f"with cases as ({cases}), found as (\n{sql}\n) select * from found")
        found[name] = {text: [] for text in texts}
        for number, *values in rows:
            found[name][texts[number]].append(tuple(values))
    return found


def _sorted(rows: Rows) -> list[str]:
    return sorted(map(repr, rows))


def _assert_expected(
    engine: Engine, literal: Callable[[str], str], besides: tuple[str, ...] = ()
) -> None:
    """Compare what is the same on all engines, and what is listed as different on this one."""
    query = "{{ project('cases', 'given', [('found', 'a', 'json')], keep=['case_number']) }}"
    listed_as = engine.target.removesuffix("_connect")
    listed = {given: [(texts[listed_as], None)] for given, texts in LISTED.items()}
    macros = {**MACROS, "listed": Macro(query, listed)}
    wrong = {
        (name, given): (rows, macros[name].expected[given])
        for name, found in _outcomes(engine, literal, macros).items()
        for given, rows in found.items()
        if given not in besides and _sorted(rows) != _sorted(macros[name].expected[given])
    }
    assert wrong == {}


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _escaped(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def test_macros_find_on_duckdb_what_is_expected(loaded: Path) -> None:
    _assert_expected(DuckDB(loaded), _quoted)


@pytest.mark.postgres
def test_macros_find_on_postgres_what_is_expected(cluster: Postgres, undisturbed: Loaded) -> None:
    postgres = cluster.another("macros")
    postgres.copy_raw(undisturbed.path)
    postgres.dbt("run", "--select", "+stg_products")  # which brings the function that macros call
    _assert_expected(postgres, _quoted)


@pytest.mark.spark
def test_macros_find_on_spark_what_is_expected(built_spark: Spark) -> None:
    _assert_expected(built_spark, _escaped, _TAKEN_FOR_JSON_BY_SPARK)


@pytest.mark.spark
def test_macros_find_on_spark_4_in_ansi_mode_what_is_expected(built_spark4: SparkConnect) -> None:
    _, rows = built_spark4.query("set spark.sql.ansi.enabled")
    assert rows == [("spark.sql.ansi.enabled", "true")]
    _assert_expected(built_spark4, _escaped, _TAKEN_FOR_JSON_BY_SPARK)


def test_what_differs_is_told() -> None:
    told = (PROJECT / "docs" / "engines.md").read_text()
    assert [given for given in LISTED if f"`{given}`" not in told] == []
