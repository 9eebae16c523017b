"""What can be set under `[sources.testio]`, and whether what is set there can be right."""

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
    """Whether it must be larger than the least."""
    section: str = _SECTION

    def wrong(self, value: Any) -> str:
        """Return what is wrong with a value, and what to set; nothing if it is fine."""
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
_OF_A_CUSTOMER = {"api_token", "customer_id", "base_url"}
_CHECKED_ELSEWHERE = {"duckdb_memory_limit", "lock_timeout_seconds", "statement_timeout_seconds"}
"""By the warehouse that they are about."""
KNOWN = (
    {number.name for number in NUMBERS if number.section == _SECTION}
    | _OF_A_CUSTOMER
    | _CHECKED_ELSEWHERE
)
_OF_DLT = {"testio", "extract", "normalize", "load", "data_writer", "schema"}
"""Sections of a source in which dlt looks for settings of its own."""


def refuse_wrong() -> None:
    """Raise ConfigurationError if a number that is configured cannot be right; name each."""
    if problems := list(wrong()):
        raise ConfigurationError("; ".join(problems))


def refuse(**values: float) -> None:
    """Raise ConfigurationError if one of these values cannot be right."""
    numbers = {number.name: number for number in NUMBERS}
    if problems := list(filter(None, (numbers[name].wrong(v) for name, v in values.items()))):
        raise ConfigurationError("; ".join(problems))


def wrong() -> Iterator[str]:
    """Yield what is wrong with each number that is configured."""
    for number in NUMBERS:
        value = _given(number)
        if value is not None and (problem := number.wrong(value)):
            yield problem


def _given(number: Number) -> Any:
    """Return a value as it is given, of any type, from where dlt looks for those of the source."""
    sections = (f"{_SECTION}.testio.", f"{_SECTION}.", "sources.", "")
    for section in sections if number.section == _SECTION else (f"{number.section}.",):
        value: Any = dlt.config.get(f"{section}{number.name}")
        if value is not None:
            return value
    return None


def unknown() -> Iterator[str]:
    """Yield each name under `[sources.testio]` that sets nothing: it may be a slip of the pen."""
    for provider in dlt.config.config_providers:
        table, _ = provider.get_value("testio", dict, "", "sources")
        if isinstance(table, dict):
            yield from _unknown_in(table)
    for variable in sorted(os.environ):
        name = variable.removeprefix(_PREFIX)
        if name == variable:
            continue
        of_customer = name.startswith("CUSTOMERS__")
        section, _, name = name.rpartition("__")
        if of_customer and name.lower() not in _OF_A_CUSTOMER:
            yield _is_unknown(variable, name.lower(), _OF_A_CUSTOMER)
        elif not of_customer and not section and name.lower() not in KNOWN:
            yield _is_unknown(variable, name.lower(), KNOWN)


def _unknown_in(table: Mapping[str, Any]) -> Iterator[str]:
    for name, value in table.items():
        if name == "customers" and isinstance(value, dict):
            for customer, settings in value.items():
                where = f"{_SECTION}.customers.{customer}"
                if not isinstance(settings, dict):
                    yield f"{where} is no section: write [{where}], and its settings below"
                    continue
                for of_customer in settings:
                    if of_customer not in _OF_A_CUSTOMER:
                        yield _is_unknown(
                            f"{of_customer} in [{where}]", of_customer, _OF_A_CUSTOMER
                        )
        elif name not in KNOWN | _OF_DLT:
            yield _is_unknown(f"{name} in [{_SECTION}]", name, KNOWN | {"customers"})


def _is_unknown(shown: str, name: str, known: set[str]) -> str:
    close = get_close_matches(name, sorted(known), n=1)
    hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(sorted(known))}"
    return f"nothing is called {shown}; {hint}"
