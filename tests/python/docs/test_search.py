"""docs/search.md: each search finds what it should."""

import re
from pathlib import Path

import duckdb
import pytest
from commands import PROJECT
from conftest import Dbt
from engines import Postgres

pytestmark = pytest.mark.slow

PAGE = (PROJECT / "docs" / "search.md").read_text()
ANYWHERE = re.findall(r"```sql\n(.*?)\n```", PAGE, re.DOTALL)
(POSTGRES,) = re.findall(r"```sql postgres\n(.*?)\n```", PAGE, re.DOTALL)
EXPRESSION = "to_tsvector('simple', left(search_text, 100000))"


def test_each_search_runs_and_finds_what_titles_say(loaded: Path, dbt: Dbt) -> None:
    dbt("run", "--select", "+bug_search", "+wide_bugs")
    with duckdb.connect(str(loaded), read_only=True) as warehouse:
        titles = warehouse.sql(
            "select bug_id, title from testio_marts.fct_bugs order by is_open desc, bug_id"
        ).fetchall()
        open_ids = {
            bug_id
            for (bug_id,) in warehouse.sql(
                "select bug_id from testio_marts.fct_bugs where is_open"
            ).fetchall()
        }
        word = max(titles[0][1].lower().split(), key=len)
        searches = [search.replace("spinner", word) for search in ANYWHERE]
        everywhere, of_open = (warehouse.sql(search).fetchall() for search in searches)
    found = {bug_id for bug_id, _ in everywhere}
    assert {bug_id for bug_id, title in titles if word in title.lower()} <= found
    assert {bug_id for _, bug_id, _ in of_open} == found & open_ids != set()


@pytest.mark.postgres
def test_postgres_searches_with_its_index(built_postgres: Postgres) -> None:
    assert EXPRESSION in POSTGRES
    _, plan = built_postgres.query(f"set enable_seqscan = off; explain {POSTGRES}")
    assert any("Bitmap Index Scan" in line for (line,) in plan), plan
    _, [(whole, indexed)] = built_postgres.query(
        "select count(*) filter (where search_text ilike '%spinner%'), "
        f"count(*) filter (where {EXPRESSION} @@ to_tsquery('simple', 'spinner')) "
        "from testio_marts.bug_search"
    )
    assert indexed <= whole


@pytest.mark.postgres
def test_a_text_with_too_many_words_for_an_index_stops_no_build(cluster: Postgres) -> None:
    _, [(words,)] = cluster.query(
        f"select length({EXPRESSION}) from (select "
        "string_agg(chr(66560 + n / 300 % 1000) || chr(66560 + n % 300), ' ') as search_text "
        "from generate_series(1, 600000) as n) as huge"
    )
    assert words > 10_000
