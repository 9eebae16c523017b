"""Whose account is read: the customers that dlt's configuration names."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import dlt

from loader.client import BASE_URL

_SECTION = "sources.testio"
_NAMED_BY_ENVIRONMENT = re.compile(r"SOURCES__TESTIO__CUSTOMERS__([A-Z0-9_]+?)__API_TOKEN")


class BadConfiguration(Exception):
    """Configuration that cannot be used; the message says what to set."""


@dataclass(frozen=True)
class Customer:
    """One customer of Test IO, read with a token of its own."""

    name: str
    customer_id: int
    api_token: str = field(repr=False)
    base_url: str = BASE_URL


def is_configured() -> bool:
    """Return whether any API token is configured."""
    return bool(_names()) or dlt.secrets.get(f"{_SECTION}.api_token") is not None


def configured_customers(wanted: Sequence[str] = ()) -> list[Customer]:
    """Return the customers to read: the wanted ones, or all.

    A token is looked up at its own customer only, never in a wider section.

    Raises:
        BadConfiguration: if a token or a customer id is missing or of no use.
    """
    names = _names()
    if unknown := sorted(set(wanted) - set(names)):
        known = ", ".join(names) or "none"
        raise BadConfiguration(
            f"no customer {', '.join(unknown)} is configured (known: {known}); "
            f"add [{_SECTION}.customers.{unknown[0]}] to .dlt/secrets.toml"
        )
    if not names:
        return [_customer("default", _SECTION)]
    customers = [_customer(name, f"{_SECTION}.customers.{name}") for name in wanted or names]
    ids = [customer.customer_id for customer in customers]
    if doubled := {id_ for id_ in ids if ids.count(id_) > 1}:
        raise BadConfiguration(f"two customers share the customer_id {min(doubled)}; give each one")
    return customers


def _names() -> list[str]:
    tables: list[Any] = [
        dlt.secrets.get(f"{_SECTION}.customers"),
        dlt.config.get(f"{_SECTION}.customers"),
    ]
    names = {name for table in tables if isinstance(table, dict) for name in table}
    names |= {
        match[1].lower() for key in os.environ if (match := _NAMED_BY_ENVIRONMENT.fullmatch(key))
    }
    return sorted(names)


def _customer(name: str, section: str) -> Customer:
    token: Any = dlt.secrets.get(f"{section}.api_token")
    if not token or not str(token).strip():
        raise BadConfiguration(f"no API token: set {_variable(section, 'api_token')}")
    customer_id: Any = dlt.config.get(f"{section}.customer_id")
    if not re.fullmatch(r"[0-9]{1,18}", str(customer_id)):
        raise BadConfiguration(
            f"no customer id: set {_variable(section, 'customer_id')} to a whole number; it marks "
            "every row, so keep it once chosen"
        )
    base_url: Any = dlt.config.get(f"{section}.base_url") or dlt.config.get(f"{_SECTION}.base_url")
    return Customer(name, int(customer_id), str(token).strip(), str(base_url or BASE_URL))


def _variable(section: str, name: str) -> str:
    variable = f"{section}.{name}".upper().replace(".", "__")
    return f"{variable} (or {name} under [{section}] in .dlt/secrets.toml)"
