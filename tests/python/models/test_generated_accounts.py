"""Whatever an account holds, it lands, is built, and adds up.

`make fuzz` draws more accounts than `make test` does, FUZZ_ACCOUNTS of them, and looks for the
smallest one that breaks a build.
"""

import math
import os
import re
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from commands import DATA_ONLY, run_dbt
from generated import Drawn, Landed, accounts, as_given, described, land, reordered
from hypothesis import HealthCheck, Phase, given, settings

from testio_loader.api.canonical_json import canonical
from testio_loader.api.endpoints import ENDPOINTS

ACCOUNTS = int(os.environ.get("FUZZ_ACCOUNTS", "200"))
_PLACEHOLDERS = {"unknown", "unattributed", "none"}


def draw(number: int, phases: Iterable[Phase], check: Callable[[Drawn], None]) -> None:
    """Give as many accounts to the check, the same ones at each call."""

    @settings(
        max_examples=number,
        phases=phases,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(accounts())
    def each(account: Drawn) -> None:
        check(account)

    each()


@pytest.fixture(scope="module")
def drawn() -> list[Drawn]:
    found: list[Drawn] = []
    draw(ACCOUNTS, [Phase.generate], found.append)
    return found


ORDERS = {"as given": as_given, "reordered": reordered}


@pytest.fixture(scope="module")
def landings(drawn: list[Drawn], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Landed]:
    """The accounts in a warehouse for each order of their records."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
        return {
            name: land(drawn, tmp_path_factory.mktemp("generated") / "warehouse.duckdb", order)
            for name, order in ORDERS.items()
        }


@pytest.fixture(scope="module")
def failures(landings: dict[str, Landed]) -> dict[str, str]:
    """What the build of each warehouse has failed with; nothing, if it has passed."""
    found = {}
    for name, landed in landings.items():
        try:
            run_dbt(landed.path, "build", *DATA_ONLY)
            found[name] = ""
        except AssertionError as failure:
            found[name] = str(failure)
    return found


@pytest.fixture(params=ORDERS)
def order(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def landed(landings: dict[str, Landed], order: str) -> Landed:
    return landings[order]


def query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_each_record_given_is_kept_or_put_aside_or_missed_by_name(landed: Landed) -> None:
    wrong: list[Any] = []
    for endpoint in ENDPOINTS:
        name = endpoint.name
        raw = _sets(query(landed.path, f"select customer_id, id from testio_raw.{name}"))
        complete = _sets(
            query(
                landed.path,
                # What names another test comes with that test; a remark says so.
                "select customer_id, bool_and(is_complete and coalesce(remarks, '') not like"
                " '%other tests have the same%') from testio_raw.ledger"
                f" where endpoint = '{name}' group by customer_id",
            )
        )
        aside = dict(
            query(
                landed.path,
                "select customer_id, count(*) from testio_raw.quarantine"
                f" where endpoint = '{name}' and reason not like 'given twice%'"
                " group by customer_id",
            )
        )
        for customer_id, served in landed.served.items():
            keys = [_key(record, endpoint.id_field) for record in served[name]]
            kept, given = raw.get(customer_id, set()), set(keys) - {None}
            is_complete = complete.get(customer_id) == {True}
            if is_complete and not given <= kept:
                wrong.append((customer_id, name, "lost", given - kept))
            if not endpoint.is_object:  # what has no id of its own has that of its test
                if not kept <= given and name != "tests":
                    wrong.append((customer_id, name, "given by nobody", kept - given))
                if is_complete and aside.get(customer_id, 0) != keys.count(None):
                    wrong.append((customer_id, name, "put aside", aside.get(customer_id, 0)))
    assert wrong == []


def test_the_build_is_green(drawn: list[Drawn], failures: dict[str, str], order: str) -> None:
    if failures[order] and "FUZZ_SHRINK" in os.environ:
        find_smallest(drawn, order, re.findall(r"Failure in \w+ (\w+)", failures[order]))
    assert not failures[order]


def find_smallest(drawn: list[Drawn], order: str, nodes: list[str]) -> None:
    """Fail with the smallest account with which one of the nodes fails."""

    def fails(accounts: list[Drawn]) -> bool:
        with tempfile.TemporaryDirectory() as folder:
            landed = land(accounts, Path(folder, "warehouse.duckdb"), ORDERS[order])
            try:
                run_dbt(landed.path, "build", "--select", *(f"+{node}" for node in nodes))
            except AssertionError:
                return True
        return False

    suspects = drawn
    while len(suspects) > 1:
        half = len(suspects) // 2
        suspects = next(part for part in (suspects[:half], suspects[half:]) if fails(part))
    harmless = {repr(account) for account in drawn} - {repr(suspects[0])}

    def check(account: Drawn) -> None:
        assert repr(account) in harmless or not fails([account]), described(account)

    draw(len(drawn), [Phase.generate, Phase.shrink], check)


@pytest.mark.usefixtures("failures")
def test_marts_name_nothing_that_was_not_given(landed: Landed) -> None:
    known = {customer_id: _everything(given) for customer_id, given in landed.served.items()}
    wrong = []
    for schema, table, column in query(
        landed.path,
        "select table_schema, table_name, column_name from information_schema.columns"
        " where table_schema in ('testio_marts', 'testio_audit')"
        " and data_type in ('BIGINT', 'VARCHAR')"
        " and (column_name like '%!_id' escape '!' or column_name like '%!_name' escape '!')"
        " and column_name not in ('customer_id', 'load_id', 'model_name', 'scope_name')"
        " and table_name in (select table_name from information_schema.columns"
        "   where column_name = 'customer_id')",
    ):
        for customer_id, value in query(
            landed.path,
            f'select distinct customer_id, "{column}" from {schema}.{table}'
            f' where "{column}" is not null',
        ):
            if value not in known[customer_id] and value not in _PLACEHOLDERS:
                wrong.append((table, column, customer_id, value))
    assert wrong == []


@pytest.mark.usefixtures("failures")
def test_the_order_of_records_and_keys_does_not_matter(landings: dict[str, Landed]) -> None:
    """The same customer in both: a hash that has its id decides which of two like records stays."""
    first, second = (landed.path for landed in landings.values())
    with duckdb.connect(str(first), read_only=True) as connection:
        connection.execute(f"attach '{second}' as reordered (read_only)")
        tables = connection.execute(
            "select table_schema, table_name from information_schema.columns"
            " where table_schema in ('testio_marts', 'testio_audit')"
            " and table_catalog = current_catalog() and column_name = 'customer_id' order by all"
        ).fetchall()
        assert len(tables) > 30
        wrong = []
        for schema, table in tables:
            columns = "columns(lambda name: name not in ('load_id', 'landed_at'))"
            ours = f"select {columns} from {schema}.{table}"
            theirs = f"select {columns} from reordered.{schema}.{table}"
            different = connection.execute(
                f"({ours} except all {theirs}) union all ({theirs} except all {ours})"
            ).fetchall()
            wrong += [(table, row) for row in different[:4]]
    assert wrong == []


def _sets(rows: list[tuple[Any, ...]]) -> dict[int, set[Any]]:
    found: dict[int, set[Any]] = {}
    for customer_id, id_ in rows:
        found.setdefault(customer_id, set()).add(id_)
    return found


def _key(record: Any, name: str) -> int | str | None:
    """Return what a record is known by, as the documentation has it: digits, or a text."""
    value = record.get(name) if isinstance(record, dict) else None
    if name != "id":
        return value if isinstance(value, str) and value.strip() else None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if type(value) is int and 0 <= value < 2**63:
        return value
    return None


def _everything(value: Any) -> set[Any]:
    """Return all texts and whole numbers in a value; what can be read as the other as both."""
    found: set[Any] = set()
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += [*one.values(), *one.keys()]
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, str):
            found.add(one)
            if one.isascii() and one.lstrip("-").isdigit() and len(one) < 25:
                found.add(int(one))
        elif isinstance(one, bool | int | float):
            found |= {int(one), canonical(one)} if math.isfinite(one) else set()
    return found
