"""Reads the customers to load, with their tokens and ids, from dlt's configuration."""

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
"""The name of a customer that is configured without a name."""

_SECTION = "sources.testio"
_CUSTOMER_VARIABLE = re.compile(
    r"SOURCES__TESTIO__CUSTOMERS__([\w-]+?)__(?:API_TOKEN|CUSTOMER_ID|BASE_URL)"
)
_USABLE_TOKEN = re.compile(r"[!-~]+")
_USABLE_NAME = re.compile(r"\w[\w-]*")  # it also names a folder


@dataclass(frozen=True)
class Customer:
    """One customer of Test IO, with its own token."""

    name: str
    customer_id: int
    api_token: str = field(repr=False)
    base_url: str = BASE_URL

    @property
    def shown_url(self) -> str:
        """The base URL for messages, redacted because it may contain a password."""
        return redact_url(self.base_url)


def is_configured() -> bool:
    """Return whether any API token is configured."""
    return bool(_names()) or dlt.secrets.get(f"{_SECTION}.api_token") is not None


def configured_customers(wanted: Sequence[str] = ()) -> list[Customer]:
    """Return the customers to read: those in `wanted`, or all.

    A token is read only from its customer's own section, never from a wider one.

    Raises:
        ConfigurationError: if a token or a customer id is missing or invalid, or if a token without
            a customer name is set beside named customers.
    """
    if (names := _names()) and str(dlt.secrets.get(f"{_SECTION}.api_token") or "").strip():
        raise ConfigurationError(
            f"{_SECTION}.api_token is set outside the sections of {', '.join(names)}: move it to "
            f"[{_SECTION}.customers.NAME] or remove it (`sandbox COMMAND` sets it: run that "
            "command where no customer is configured)"
        )
    return _customers(wanted or names or [DEFAULT], needs_token=True)


def replayed_customers(archive: Path, wanted: Sequence[str] = ()) -> list[Customer]:
    """Return the customers whose answers an archive contains: those in `wanted`, or all.

    A replay does not call the API, so it needs no token.

    Raises:
        ConfigurationError: if the archive lacks them, or if one has no customer id.
    """
    from testio_loader.api.recording import recorded_names

    recorded = recorded_names(archive)
    if not recorded:
        raise ConfigurationError(
            f"{archive} is not an archive: choose a folder that `load --record` has written"
        )
    folders = {_variable_name(name): name for name in recorded}
    if unknown := sorted(name for name in wanted if _variable_name(name) not in folders):
        raise ConfigurationError(
            f"{archive} does not contain {', '.join(unknown)}: choose from {', '.join(recorded)}"
        )
    names = [folders[_variable_name(name)] for name in wanted] or recorded
    return _customers(names, needs_token=False)


def customer_ids() -> dict[str, int]:
    """Return the id of each configured customer, by name; leave out those without a valid id."""
    ids = {}
    for name in _names() or [DEFAULT]:
        with contextlib.suppress(ConfigurationError):
            ids[name] = _customer_id(_section(name))
    return ids


def id_of(name: str) -> int:
    """Return the id of a configured customer. For one that no longer is, `name` must be the id.

    Raises:
        ConfigurationError: if `name` is neither a configured customer nor a number.
    """
    ids = {_variable_name(known): id_ for known, id_ in customer_ids().items()}
    if (id_ := ids.get(_variable_name(name))) is not None:
        return id_
    if not re.fullmatch("[0-9]{1,18}", name):
        known = ", ".join(sorted(customer_ids())) or "none"
        raise ConfigurationError(
            f"no customer {name} is configured (known: {known}): give its customer_id"
        )
    return int(name)


def _customers(names: Sequence[str], *, needs_token: bool) -> list[Customer]:
    unique = {_variable_name(name): name for name in reversed(names)}
    customers = [_customer(name, needs_token=needs_token) for name in reversed(unique.values())]
    ids = [customer.customer_id for customer in customers]
    if doubled := {id_ for id_ in ids if ids.count(id_) > 1}:
        raise ConfigurationError(
            f"two customers share the customer_id {min(doubled)}: give each customer its own"
        )
    owners: dict[tuple[str, str], str] = {}
    for customer in customers:
        account = customer.base_url, customer.api_token
        if needs_token and (other := owners.setdefault(account, customer.name)) != customer.name:
            raise ConfigurationError(
                f"the customers {other} and {customer.name} share one API token, which belongs to "
                "one of them: set each customer's own token"
            )
    return customers


def _names() -> list[str]:
    """Return the names of the customers that have their own section.

    Environment variables have neither lower case nor hyphens: `MY_CO` in a variable means the
    customer `my-co` of a file, or `my_co` if no file has such a customer.

    Raises:
        ConfigurationError: if two names are the same in environment variables.
    """
    # Read each provider separately: dlt.config returns only the first table that it finds.
    tables = [
        provider.get_value("customers", dict, "", *_SECTION.split("."))[0]
        for provider in dlt.config.config_providers
    ]
    names: dict[str, str] = {}
    for name in sorted({name for table in tables if isinstance(table, dict) for name in table}):
        if (other := names.setdefault(_variable_name(name), name)) != name:
            raise ConfigurationError(
                f"the customers {other} and {name} have the same name in environment variables, "
                f"{_variable_name(name)}: rename one of them in .dlt/"
            )
    for key in os.environ:
        if match := _CUSTOMER_VARIABLE.fullmatch(key):
            names.setdefault(_variable_name(match[1]), match[1].lower())
    return sorted(names.values())


def _variable_name(name: str) -> str:
    """Return a name as it is written in environment variables."""
    return name.upper().replace("-", "_")


def _section(name: str) -> str:
    """Return the section of a customer; the only customer may be configured without a name."""
    names = {_variable_name(known): known for known in _names()}
    if known := names.get(_variable_name(name)):
        if not _USABLE_NAME.fullmatch(known):
            raise ConfigurationError(
                f"the customer name {known!r} is invalid: use only letters, digits, - and _"
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
        name = section.removeprefix(f"{_SECTION}.customers.")  # as the configuration spells it
    return Customer(name, _customer_id(section), token, str(base_url or BASE_URL).rstrip("/"))


def _token(section: str) -> str:
    token = str(_setting(section, "api_token") or "").strip()
    if not token:
        raise ConfigurationError(f"no API token: set {_variable(section, 'api_token')}")
    if not _USABLE_TOKEN.fullmatch(token):
        raise ConfigurationError(
            "the API token contains a space or a character that is not printable ASCII: correct "
            f"{_variable(section, 'api_token')}"
        )
    return token


def _customer_id(section: str) -> int:
    customer_id = _setting(section, "customer_id")
    if not re.fullmatch(r"[0-9]{1,18}", str(customer_id)):
        cause = (
            "no customer id"
            if customer_id in (None, "")
            else f"the customer_id {customer_id!r} is not a whole number"
        )
        raise ConfigurationError(
            f"{cause}: set {_variable(section, 'customer_id')} to a number of your choice, such as "
            "1; it marks every row, so never change it (put the customer's name into the section's "
            "name, as in [sources.testio.customers.acme])"
        )
    return int(customer_id)


def _setting(section: str, name: str) -> Any:
    """Return a setting from the environment or a file.

    dlt does not replace hyphens in environment variables, so look up underscores first.
    """
    getter = dlt.secrets if name == "api_token" else dlt.config
    value = getter.get(f"{section.replace('-', '_')}.{name}") if "-" in section else None
    return getter.get(f"{section}.{name}") if value is None else value


def _variable(section: str, name: str) -> str:
    variable = _variable_name(f"{section}.{name}").replace(".", "__")
    return f"{variable} (or {name} under [{section}] in .dlt/secrets.toml)"
