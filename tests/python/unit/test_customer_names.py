"""Customers' names in files and in the environment, which has neither lower case nor hyphens."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import run
from dlt.common.configuration.container import Container
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext

from testio_loader.customers import configured_customers, customer_ids, id_of
from testio_loader.errors import ConfigurationError


def _read_files() -> None:
    Container()[PluggableRunContext].reload_providers()


@pytest.fixture(autouse=True)
def _files_of_this_test_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    _read_files()
    yield
    monkeypatch.chdir("/")
    _read_files()


def files(**tables: str) -> None:
    """Write .dlt/secrets.toml and .dlt/config.toml, which dlt reads once per process."""
    Path(".dlt").mkdir(exist_ok=True)
    for name, text in tables.items():
        Path(f".dlt/{name}.toml").write_text(text, encoding="utf-8")
    _read_files()


def section(name: str, **settings: object) -> str:
    lines = "".join(f"{key} = {value!r}\n" for key, value in settings.items())
    return f"[sources.testio.customers.{name}]\n{lines}"


def environment(monkeypatch: pytest.MonkeyPatch, name: str, **settings: object) -> None:
    for key, value in settings.items():
        monkeypatch.setenv(f"SOURCES__TESTIO__CUSTOMERS__{name}__{key.upper()}", str(value))


def found() -> list[tuple[str, int, str]]:
    return [(c.name, c.customer_id, c.api_token) for c in configured_customers()]


@pytest.mark.parametrize("name", ["acme", "Acme", "my-co", "My-Co_2", "my_co", "ÜNI-x"])
def test_a_name_in_a_file_is_kept_as_it_is(name: str) -> None:
    """Issue 15, Places: mixed case and hyphens work from a file."""
    files(secrets=section(f'"{name}"', api_token="t", customer_id=3))
    assert found() == [(name, 3, "t")]
    assert customer_ids() == {name: 3}


@pytest.mark.parametrize("name", ["my-co", "My-Co", "MY_CO", "my_Co"])
def test_the_environment_adds_to_what_a_file_names(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 15, Places: MY_CO names the file's customer, and has the last word."""
    files(config=section(name, customer_id=3), secrets=section(name, api_token="of the file"))
    environment(monkeypatch, "MY_CO", api_token="t")
    assert found() == [(name, 3, "t")]
    environment(monkeypatch, "MY_CO", customer_id=4, base_url="http://localhost:1/")
    assert found() == [(name, 4, "t")]
    assert configured_customers()[0].base_url == "http://localhost:1"


def test_a_name_in_the_environment_alone_is_in_lower_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue 15, Places."""
    environment(monkeypatch, "MY_CO", api_token="t", customer_id=3)
    files(secrets=section("Other-1", api_token="o", customer_id=1))
    assert found() == [("Other-1", 1, "o"), ("my_co", 3, "t")]


def test_a_hyphen_in_the_environment_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue 15, Places: shells cannot set it, other programs can."""
    environment(monkeypatch, "MY-CO", api_token="t", customer_id=3)
    assert found() == [("my-co", 3, "t")]


@pytest.mark.parametrize("wanted", ["My-Co", "my-co", "MY_CO", "my_co"])
def test_a_customer_is_found_however_its_name_is_written(wanted: str) -> None:
    """Issue 15, Places: in load, publish and erase."""
    files(secrets=section("My-Co", api_token="t", customer_id=3))
    assert [c.name for c in configured_customers([wanted, "My-Co"])] == ["My-Co"]
    assert id_of(wanted) == 3


@pytest.mark.parametrize("other", ["my_co", "My-co"])
@pytest.mark.parametrize("file", ["secrets", "config"])
def test_names_that_the_environment_cannot_tell_apart_are_refused(other: str, file: str) -> None:
    """Issue 15, Places: in one line."""
    first, second = (
        section(name, api_token=name, customer_id=number)
        for number, name in enumerate(("my-co", other), 1)
    )
    if file == "secrets":
        first, second = "", first + second
    files(config=first, secrets=second)
    with pytest.raises(ConfigurationError, match="the same name in environment variables, MY_CO"):
        configured_customers()
    done = run("load", status=2)
    assert done.stderr.count("\n") == 1
    assert "MY_CO" in run("check", status=1).stdout
    for command in (["erase", "--customer", "1", "--yes"], ["status"]):
        assert run(*command, status=1 if command == ["status"] else 2).stderr.count("\n") == 1


def test_what_to_set_is_named_as_it_can_be_set() -> None:
    """Issue 15, Places."""
    files(secrets=section("my-co", customer_id=3))
    done = run("load", status=2)
    assert "SOURCES__TESTIO__CUSTOMERS__MY_CO__API_TOKEN" in done.stderr
    assert "[sources.testio.customers.my-co]" in done.stderr


def test_digits_that_are_no_number_are_no_customer_id() -> None:
    """Issue 15, Messages."""
    for name in ("²", "٣" * 3, "9" * 30):
        assert "give its customer_id" in run("erase", "--customer", name, "--yes", status=2).stderr
