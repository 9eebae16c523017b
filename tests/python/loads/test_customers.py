"""Several customers share a warehouse and nothing else: each is read with its own token only."""

import json
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from commands import configure, reader_of, run, run_apart

from testio_loader.api.endpoints import ENDPOINTS
from testio_loader.errors import WarehouseBusyError
from testio_loader.warehouses.duckdb_file import DuckDbFile
from testio_sandbox import Account, Answer, Handler, Query, serve

pytestmark = pytest.mark.slow

NAMES = ("acme", "beta")
ACCOUNTS = {
    name: Account(products=2, tests=6, bugs=24, customer=number)
    for number, name in enumerate(NAMES, 1)
}
Select = Callable[[str], list[tuple[Any, ...]]]


class Witness:
    """What each token asked for."""

    def __init__(self) -> None:
        self.asked: dict[str, set[int]] = defaultdict(set)
        self.refused: set[str] = set()

    def between(self, name: str) -> Handler:
        def handle(path: str, query: Query) -> Answer:
            self.asked[name] |= owners(f"{path} {query}")
            return Answer(401) if name in self.refused else ACCOUNTS[name](path, query)

        return handle


def owners(text: str) -> set[int]:
    """Return the numbers of the customers whose ids are in a text: all have nine digits."""
    return {int(id_) // 100_000_000 for id_ in re.findall(r"\b[0-9]{9}\b", text)}


@pytest.fixture
def witness(monkeypatch: pytest.MonkeyPatch) -> Iterator[Witness]:
    witness = Witness()
    with serve({f"token-of-{name}": witness.between(name) for name in NAMES}) as sandbox:
        configure(monkeypatch, sandbox.url, {name: f"token-of-{name}" for name in NAMES})
        yield witness


def assert_apart(witness: Witness, select: Select, *landed: str) -> None:
    """Each token asked for its own ids only, and each customer has exactly its account's rows."""
    for number, name in enumerate(NAMES, 1):
        assert witness.asked[name] <= {number}
        truth = ACCOUNTS[name].truth()
        for endpoint in ENDPOINTS:
            rows = select(
                f"select id, payload from testio_raw.{endpoint.name} where customer_id = {number}"
            )
            assert len(rows) == (getattr(truth, endpoint.name) if name in landed else 0)
            assert owners(str(rows)) <= {number}


def test_each_is_read_with_its_own_token(witness: Witness, select: Select) -> None:
    run("load")
    run("load")
    assert_apart(witness, select, "acme", "beta")


def test_one_can_be_read_alone(witness: Witness, select: Select) -> None:
    run("load", "--customer", "beta")
    assert not witness.asked["acme"]
    assert_apart(witness, select, "beta")
    assert "known: acme, beta" in run("load", "--customer", "gamma", status=2).stderr


def test_one_that_fails_does_not_stop_the_other(witness: Witness, select: Select) -> None:
    witness.refused.add("acme")
    done = run("load", status=1)
    assert re.search("customer acme: .* the API refuses the token", done.stderr)
    assert "Customer beta" in done.stdout
    assert_apart(witness, select, "beta")
    witness.refused.clear()
    run("load")
    assert_apart(witness, select, "acme", "beta")


def test_one_that_finds_the_file_held_open_does_not_stop_the_other(
    witness: Witness, select: Select, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, held = DuckDbFile.opened, []

    def held_once(file: DuckDbFile, **options: Any) -> AbstractContextManager[None]:
        if witness.asked and not held:  # the first is read, and lands now
            held.append(file)
            raise WarehouseBusyError("the file is held open")
        return opened(file, **options)

    monkeypatch.setattr(DuckDbFile, "opened", held_once)
    document = json.loads(run("load", "--json", status=1).stdout)
    assert [report["customer"] for report in document["customers"]] == ["beta"]
    assert document["failures"] == {
        "acme": "customer acme: the file is held open; the next load lands the data that was read"
    }
    assert_apart(witness, select, "acme", "beta")


def test_a_file_that_is_held_open_from_the_start_is_told_once(
    witness: Witness, warehouse: Path
) -> None:
    DuckDbFile(warehouse).prepare()
    with reader_of(warehouse) as pid:
        done = run("load", "--json", status=1)
    assert set(json.loads(done.stdout)["failures"]) == {"acme", "beta"}
    assert done.stderr.count(f"PID {pid}") == 1
    assert not witness.asked


def test_an_archive_keeps_them_apart(
    witness: Witness, select: Select, warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("load", "--record", "archive")
    for number, name in enumerate(NAMES, 1):
        files = list(Path("archive", name).rglob("*.json"))
        assert owners(" ".join(map(str, files))) == {number}
        assert owners(" ".join(file.read_text() for file in files)) == {number}
        monkeypatch.delenv(f"SOURCES__TESTIO__CUSTOMERS__{name.upper()}__API_TOKEN")
    warehouse.unlink()
    run("load", "--replay", "archive", "--customer", "beta")
    assert_apart(witness, select, "beta")
    run("load", "--replay", "archive")
    assert_apart(witness, select, "acme", "beta")


def test_a_token_of_a_wider_section_is_nobodys(
    witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__API_TOKEN", "token-of-acme")
    monkeypatch.setenv("API_TOKEN", "token-of-acme")
    monkeypatch.delenv("SOURCES__TESTIO__CUSTOMERS__BETA__API_TOKEN")
    assert "CUSTOMERS__BETA__API_TOKEN" in run("load", "--customer", "beta", status=2).stderr
    assert not witness.asked


@pytest.mark.parametrize("arguments", ["load", "load --customer acme", "load --dry-run", "check"])
def test_an_account_without_a_name_beside_others_is_not_skipped(
    witness: Witness, monkeypatch: pytest.MonkeyPatch, arguments: str
) -> None:
    monkeypatch.setenv("SOURCES__TESTIO__API_TOKEN", "token-of-acme")
    done = run(*arguments.split(), status=1 if arguments == "check" else 2)
    assert "outside the sections of acme, beta: move it to" in done.output
    assert not witness.asked


def test_the_sandbox_is_not_asked_with_tokens_of_customers(witness: Witness) -> None:
    program = str(Path(sys.executable).with_name("testio-loader"))
    assert "is set outside the sections of" in run_apart("sandbox", program, "load", status=2)
    assert not witness.asked


def test_status_names_customers_beside_a_token_without_a_name(
    witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("load", "--customer", "acme")
    monkeypatch.setenv("SOURCES__TESTIO__API_TOKEN", "token-of-acme")
    assert "acme (1)" in run("status").stdout


def test_two_with_one_customer_id_are_refused(
    witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__TESTIO__CUSTOMERS__BETA__CUSTOMER_ID", "1")
    assert "share the customer_id 1" in run("load", status=2).stderr
    assert not witness.asked
