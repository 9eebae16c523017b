"""Whose account is read: the customers that dlt's configuration names."""

import contextlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dlt

from testio_loader.api.base import BASE_URL
from testio_loader.api.redaction import redact_url
from testio_loader.errors import ConfigurationError

DEFAULT = "default"
"""The name of the customer that is configured without one."""

_SECTION = "sources.testio"
_NAMED_BY_ENVIRONMENT = re.compile(
    r"SOURCES__TESTIO__CUSTOMERS__([\w-]+?)__(?:API_TOKEN|CUSTOMER_ID|BASE_URL)"
)
_USABLE_TOKEN = re.compile(r"[!-~]+")
_USABLE_NAME = re.compile(r"\w[\w-]*")  # it also names a folder


@dataclass(frozen=True)
class Customer:
    """One customer of Test IO, read with a token of its own."""

    name: str
    customer_id: int
    api_token: str = field(repr=False)
    base_url: str = BASE_URL

    @property
    def shown_url(self) -> str:
        """The base URL as it may be shown: somebody may have put a password into it."""
        return redact_url(self.base_url)


def is_configured() -> bool:
    """Return whether any API token is configured."""
    return bool(_names()) or dlt.secrets.get(f"{_SECTION}.api_token") is not None


def configured_customers(wanted: Sequence[str] = ()) -> list[Customer]:
    """Return the customers to read: the wanted ones, or all.

    A token is looked up at its own customer only, never in a wider section.

    Raises:
        ConfigurationError: if a token or a customer id is missing or of no use, or a token stands
            beside the customers that have names.
    """
    if (names := _names()) and str(dlt.secrets.get(f"{_SECTION}.api_token") or "").strip():
        raise ConfigurationError(
            f"{_SECTION}.api_token is of an account without a name, beside {', '.join(names)}: "
            "give it a name as well, under customers, or remove it (`sandbox COMMAND` sets it: run "
            "that where no customer is configured)"
        )
    return _customers(wanted or names or [DEFAULT], needs_token=True)


def replayed_customers(archive: Path, wanted: Sequence[str] = ()) -> list[Customer]:
    """Return the customers that an archive has answers of: the wanted ones, or all.

    Nobody is asked, so no token is needed.

    Raises:
        ConfigurationError: if there are none, or one has no customer id.
    """
    from testio_loader.api.recording import recorded_names

    recorded = recorded_names(archive)
    if not recorded:
        raise ConfigurationError(
            f"{archive} is no archive: it has no folder of a customer, as `load --record` writes it"
        )
    folders = {_variable_name(name): name for name in recorded}
    if unknown := sorted(name for name in wanted if _variable_name(name) not in folders):
        raise ConfigurationError(
            f"{archive} has nothing of {', '.join(unknown)} (but of: {', '.join(recorded)})"
        )
    names = [folders[_variable_name(name)] for name in wanted] or recorded
    return _customers(names, needs_token=False)


def customer_ids() -> dict[str, int]:
    """Return the ids of the customers that are configured well enough to have one."""
    ids = {}
    for name in _names() or [DEFAULT]:
        with contextlib.suppress(ConfigurationError):
            ids[name] = _customer_id(_section(name))
    return ids


def id_of(name: str) -> int:
    """Return the id of a configured customer; of one that no longer is, the name is the id.

    Raises:
        ConfigurationError: if it is neither.
    """
    ids = {_variable_name(known): id_ for known, id_ in customer_ids().items()}
    if (id_ := ids.get(_variable_name(name))) is not None:
        return id_
    if not re.fullmatch("[0-9]{1,18}", name):
        known = ", ".join(sorted(customer_ids())) or "none"
        raise ConfigurationError(
            f"no customer {name} is configured (known: {known}); give a number"
        )
    return int(name)


def _customers(names: Sequence[str], *, needs_token: bool) -> list[Customer]:
    once = {_variable_name(name): name for name in reversed(names)}
    customers = [_customer(name, needs_token=needs_token) for name in reversed(once.values())]
    ids = [customer.customer_id for customer in customers]
    if doubled := {id_ for id_ in ids if ids.count(id_) > 1}:
        raise ConfigurationError(
            f"two customers share the customer_id {min(doubled)}; give each one"
        )
    owners: dict[tuple[str, str], str] = {}
    for customer in customers:
        account = customer.base_url, customer.api_token
        if needs_token and (other := owners.setdefault(account, customer.name)) != customer.name:
            raise ConfigurationError(
                f"the customers {other} and {customer.name} share one API token, which belongs to "
                "one of them; give each its own"
            )
    return customers


def _names() -> list[str]:
    """Return the names of the customers that have a section of their own.

    A variable of the environment can have neither lower case nor hyphens: `MY_CO` in one is the
    customer that a file names `my-co`, and `my_co` if no file names it.

    Raises:
        ConfigurationError: if two names are one in the environment.
    """
    # Of each file by itself: asked for all of them, dlt gives the table of the first that has one.
    tables = [
        provider.get_value("customers", dict, "", *_SECTION.split("."))[0]
        for provider in dlt.config.config_providers
    ]
    names: dict[str, str] = {}
    for name in sorted({name for table in tables if isinstance(table, dict) for name in table}):
        if (other := names.setdefault(_variable_name(name), name)) != name:
            raise ConfigurationError(
                f"the customers {other} and {name} have one name in the environment, "
                f"{_variable_name(name)}: rename one of them in .dlt/"
            )
    for key in os.environ:
        if match := _NAMED_BY_ENVIRONMENT.fullmatch(key):
            names.setdefault(_variable_name(match[1]), match[1].lower())
    return sorted(names.values())


def _variable_name(name: str) -> str:
    """Return how a variable of the environment names a customer."""
    return name.upper().replace("-", "_")


def _section(name: str) -> str:
    """Return where a customer is configured: by name, or without one if it is the only one."""
    names = {_variable_name(known): known for known in _names()}
    if known := names.get(_variable_name(name)):
        if not _USABLE_NAME.fullmatch(known):
            raise ConfigurationError(
                f"the customer name {known!r} has characters other than letters, digits, - and _"
            )
        return f"{_SECTION}.customers.{known}"
    if name == DEFAULT and not names:
        return _SECTION
    raise ConfigurationError(
        f"no customer {name} is configured (known: {', '.join(names.values()) or DEFAULT}); "
        f"add [{_SECTION}.customers.{name}] to .dlt/secrets.toml"
    )


def _customer(name: str, *, needs_token: bool) -> Customer:
    section = _section(name)
    token = _token(section) if needs_token else ""
    base_url = _setting(section, "base_url") or _setting(_SECTION, "base_url")
    if needs_token and section != _SECTION:
        name = section.removeprefix(f"{_SECTION}.customers.")  # as it is configured
    return Customer(name, _customer_id(section), token, str(base_url or BASE_URL).rstrip("/"))


def _token(section: str) -> str:
    token = str(_setting(section, "api_token") or "").strip()
    if not token:
        raise ConfigurationError(f"no API token: set {_variable(section, 'api_token')}")
    if not _USABLE_TOKEN.fullmatch(token):
        raise ConfigurationError(
            "the API token has characters that cannot be part of one; correct "
            f"{_variable(section, 'api_token')}"
        )
    return token


def _customer_id(section: str) -> int:
    customer_id = _setting(section, "customer_id")
    if not re.fullmatch(r"[0-9]{1,18}", str(customer_id)):
        cause = (
            "no customer id"
            if customer_id in (None, "")
            else f"the customer_id {customer_id!r} is no whole number"
        )
        raise ConfigurationError(
            f"{cause}: set {_variable(section, 'customer_id')} to a number of your choice, such as "
            "1; it marks every row, so keep it once chosen (a name belongs into the name of the "
            "section, as in [sources.testio.customers.acme])"
        )
    return int(customer_id)


def _setting(section: str, name: str) -> Any:
    """Return a setting from the environment or a file; dlt looks a hyphen up as it is in both."""
    getter = dlt.secrets if name == "api_token" else dlt.config
    value = getter.get(f"{section.replace('-', '_')}.{name}") if "-" in section else None
    return getter.get(f"{section}.{name}") if value is None else value


def _variable(section: str, name: str) -> str:
    variable = _variable_name(f"{section}.{name}").replace(".", "__")
    return f"{variable} (or {name} under [{section}] in .dlt/secrets.toml)"
