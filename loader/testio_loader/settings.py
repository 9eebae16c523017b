"""Checks the names and values of the settings under `[sources.testio]` and `[runtime]`."""

import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import dlt

from testio_loader.errors import ConfigurationError

_SECTION = "sources.testio"
_PREFIX = "SOURCES__TESTIO__"
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?(e[+-]?[0-9]{1,3})?", re.IGNORECASE)


@dataclass(frozen=True)
class Number:
    """A setting that is a number."""

    name: str
    least: float
    most: float = math.inf
    is_whole: bool = False
    is_above: bool = False
    """Whether the value must be above `least`, not equal to it."""
    section: str = _SECTION

    def wrong(self, value: Any) -> str:
        """Return a message that says what to set, or an empty text if the value is valid."""
        text = str(value).strip()
        number = float(text) if _NUMBER.fullmatch(text) and not isinstance(value, bool) else None
        if (
            number is not None
            and (number > self.least if self.is_above else number >= self.least)
            and number <= self.most
            and (text.lstrip("+").isdecimal() or not self.is_whole)
        ):
            return ""
        kind = "a whole number" if self.is_whole else "a number"
        least = f"{'above' if self.is_above else 'of at least'} {self.least:g}"
        most = "" if math.isinf(self.most) else f" and at most {self.most:g}"
        variable = f"{self.section}.{self.name}".upper().replace(".", "__")
        return f"{self.name} is {value!r}: set {variable} to {kind} {least}{most}"


NUMBERS = (
    Number("settling_days", 0, 100_000),
    Number("max_age_days", 0, 100_000),
    Number("max_in_flight", 1, 1_000, is_whole=True),
    Number("max_record_mb", 0, 1_000, is_above=True),
    Number("max_answer_mb", 0, is_above=True),
    Number("max_call_seconds", 0, is_above=True),
    Number("request_timeout", 0, is_above=True, section="runtime"),
    Number("request_max_attempts", 1, is_whole=True, section="runtime"),
    Number("request_backoff_factor", 0, section="runtime"),
    Number("request_max_retry_delay", 0, section="runtime"),
)
_CUSTOMER_SETTINGS = {"api_token", "customer_id", "base_url"}
_CHECKED_ELSEWHERE = {"duckdb_memory_limit", "lock_timeout_seconds", "statement_timeout_seconds"}
"""The warehouse that uses these settings checks them."""
KNOWN = (
    {number.name for number in NUMBERS if number.section == _SECTION}
    | _CUSTOMER_SETTINGS
    | _CHECKED_ELSEWHERE
)
_DLT_SECTIONS = {"testio", "extract", "normalize", "load", "data_writer", "schema"}
"""Sections of a source in which dlt looks for its own settings."""


def refuse_wrong() -> None:
    """Raise ConfigurationError if any configured number is invalid; the message names each one."""
    if problems := list(wrong()):
        raise ConfigurationError("; ".join(problems))


def refuse(**values: float) -> None:
    """Raise ConfigurationError if any of these values is invalid."""
    numbers = {number.name: number for number in NUMBERS}
    if problems := list(filter(None, (numbers[name].wrong(v) for name, v in values.items()))):
        raise ConfigurationError("; ".join(problems))


def wrong() -> Iterator[str]:
    """Yield a message per configured number that is invalid."""
    for number in NUMBERS:
        value = _configured(number)
        if value is not None and (problem := number.wrong(value)):
            yield problem


def _configured(number: Number) -> Any:
    """Return a configured value, of any type, from the first of dlt's sections that has it."""
    sections = (f"{_SECTION}.testio.", f"{_SECTION}.", "sources.", "")
    for section in sections if number.section == _SECTION else (f"{number.section}.",):
        value: Any = dlt.config.get(f"{section}{number.name}")
        if value is not None:
            return value
    return None


def unknown() -> Iterator[str]:
    """Yield a message per unknown name under `[sources.testio]`: it may be a typo."""
    for provider in dlt.config.config_providers:
        table, _ = provider.get_value("testio", dict, "", "sources")
        if isinstance(table, dict):
            yield from _unknown_in(table)
    for variable in sorted(os.environ):
        name = variable.removeprefix(_PREFIX)
        if name == variable:
            continue
        is_of_customer = name.startswith("CUSTOMERS__")
        section, _, name = name.rpartition("__")
        if is_of_customer and name.lower() not in _CUSTOMER_SETTINGS:
            yield _unknown_message(variable, name.lower(), _CUSTOMER_SETTINGS)
        elif not is_of_customer and not section and name.lower() not in KNOWN:
            yield _unknown_message(variable, name.lower(), KNOWN)


def _unknown_in(table: Mapping[str, Any]) -> Iterator[str]:
    for name, value in table.items():
        if name == "customers" and isinstance(value, dict):
            for customer, settings in value.items():
                where = f"{_SECTION}.customers.{customer}"
                if not isinstance(settings, dict):
                    yield f"{where} is not a section: write [{where}] and its settings below it"
                    continue
                for setting in settings:
                    if setting not in _CUSTOMER_SETTINGS:
                        yield _unknown_message(
                            f"{setting} in [{where}]", setting, _CUSTOMER_SETTINGS
                        )
        elif name not in KNOWN | _DLT_SECTIONS:
            yield _unknown_message(f"{name} in [{_SECTION}]", name, KNOWN | {"customers"})


def _unknown_message(shown: str, name: str, known: set[str]) -> str:
    close = get_close_matches(name, sorted(known), n=1)
    hint = f"did you mean {close[0]}?" if close else f"use one of {', '.join(sorted(known))}"
    return f"unknown setting {shown}; {hint}"
