"""Whose account is read: the customers that dlt's configuration names."""

import contextlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dlt

from loader.api import BASE_URL
from loader.errors import BadConfiguration
from loader.redact import redact_url

DEFAULT = "default"
"""The name of the customer that is configured without one."""

_SECTION = "sources.testio"
_NAMED_BY_ENVIRONMENT = re.compile(
    r"SOURCES__TESTIO__CUSTOMERS__([A-Z0-9_]+?)__(?:API_TOKEN|CUSTOMER_ID)"
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
        BadConfiguration: if a token or a customer id is missing or of no use, or a token stands
            beside the customers that have names.
    """
    if (names := _names()) and str(dlt.secrets.get(f"{_SECTION}.api_token") or "").strip():
        raise BadConfiguration(
            f"{_SECTION}.api_token is of an account without a name, beside {', '.join(names)}: "
            "give it a name as well, under customers, or remove it (`sandbox COMMAND` sets it: run "
            "that where no customer is configured)"
        )
    return _customers(wanted or names or [DEFAULT], needs_token=True)


def replayed_customers(archive: Path, wanted: Sequence[str] = ()) -> list[Customer]:
    """Return the customers that an archive has answers of: the wanted ones, or all.

    Nobody is asked, so no token is needed.

    Raises:
        BadConfiguration: if there are none, or one has no customer id.
    """
    from loader.archive import recorded_names

    recorded = recorded_names(archive)
    if not recorded:
        raise BadConfiguration(
            f"{archive} is no archive: it has no folder of a customer, as `load --record` writes it"
        )
    if unknown := sorted(set(wanted) - set(recorded)):
        raise BadConfiguration(
            f"{archive} has nothing of {', '.join(unknown)} (but of: {', '.join(recorded)})"
        )
    return _customers(wanted or recorded, needs_token=False)


def customer_ids() -> dict[str, int]:
    """Return the ids of the customers that are configured well enough to have one."""
    ids = {}
    for name in _names() or [DEFAULT]:
        with contextlib.suppress(BadConfiguration):
            ids[name] = _customer_id(_section(name))
    return ids


def id_of(name: str) -> int:
    """Return the id of a configured customer; of one that no longer is, the name is the id.

    Raises:
        BadConfiguration: if it is neither.
    """
    ids = customer_ids()
    if name not in ids and not name.isdecimal():
        known = ", ".join(sorted(ids)) or "none"
        raise BadConfiguration(f"no customer {name} is configured (known: {known}); give a number")
    return ids[name] if name in ids else int(name)


def _customers(names: Sequence[str], *, needs_token: bool) -> list[Customer]:
    customers = [_customer(name, needs_token=needs_token) for name in dict.fromkeys(names)]
    ids = [customer.customer_id for customer in customers]
    if doubled := {id_ for id_ in ids if ids.count(id_) > 1}:
        raise BadConfiguration(f"two customers share the customer_id {min(doubled)}; give each one")
    return customers


def _names() -> list[str]:
    """Return the names of the customers that have a section of their own."""
    tables: list[Any] = [
        dlt.secrets.get(f"{_SECTION}.customers"),
        dlt.config.get(f"{_SECTION}.customers"),
    ]
    names = {name for table in tables if isinstance(table, dict) for name in table}
    names |= {
        match[1].lower() for key in os.environ if (match := _NAMED_BY_ENVIRONMENT.fullmatch(key))
    }
    return sorted(names)


def _section(name: str) -> str:
    """Return where a customer is configured: by name, or without one if it is the only one."""
    names = _names()
    if name in names:
        if not _USABLE_NAME.fullmatch(name):
            raise BadConfiguration(
                f"the customer name {name!r} has characters other than letters, digits, - and _"
            )
        return f"{_SECTION}.customers.{name}"
    if name == DEFAULT and not names:
        return _SECTION
    raise BadConfiguration(
        f"no customer {name} is configured (known: {', '.join(names) or DEFAULT}); "
        f"add [{_SECTION}.customers.{name}] to .dlt/secrets.toml"
    )


def _customer(name: str, *, needs_token: bool) -> Customer:
    section = _section(name)
    token = _token(section) if needs_token else ""
    base_url: Any = dlt.config.get(f"{section}.base_url") or dlt.config.get(f"{_SECTION}.base_url")
    return Customer(name, _customer_id(section), token, str(base_url or BASE_URL).rstrip("/"))


def _token(section: str) -> str:
    token = str(dlt.secrets.get(f"{section}.api_token") or "").strip()
    if not token:
        raise BadConfiguration(f"no API token: set {_variable(section, 'api_token')}")
    if not _USABLE_TOKEN.fullmatch(token):
        raise BadConfiguration(
            "the API token has characters that cannot be part of one; correct "
            f"{_variable(section, 'api_token')}"
        )
    return token


def _customer_id(section: str) -> int:
    customer_id: Any = dlt.config.get(f"{section}.customer_id")
    if not re.fullmatch(r"[0-9]{1,18}", str(customer_id)):
        cause = (
            "no customer id"
            if customer_id in (None, "")
            else f"the customer_id {customer_id!r} is no whole number"
        )
        raise BadConfiguration(
            f"{cause}: set {_variable(section, 'customer_id')} to a number of your choice, such as "
            "1; it marks every row, so keep it once chosen (a name belongs into the name of the "
            "section, as in [sources.testio.customers.acme])"
        )
    return int(customer_id)


def _variable(section: str, name: str) -> str:
    variable = f"{section}.{name}".upper().replace(".", "__")
    return f"{variable} (or {name} under [{section}] in .dlt/secrets.toml)"
