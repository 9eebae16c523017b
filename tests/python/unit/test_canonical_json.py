"""JSON is read the quick way where every engine reads the same in it, and else the careful way."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testio_loader.api import canonical_json
from testio_loader.api.canonical_json import parse

_ODD = ("\\u0000", "\\", "0" * 20, '"', ":12345678901234567890,", "u0000", "\0", "ü", "\ud800")
_TEXTS = st.lists(st.sampled_from(_ODD), max_size=4).map("".join)
_VALUES = st.recursive(
    st.none() | st.booleans() | _TEXTS | st.integers() | st.integers(2**62, 2**70),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
)


@contextmanager
def quick_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setattr(canonical_json, "_parse_carefully", lambda _: pytest.fail("carefully"))
        yield


@settings(max_examples=2_000, deadline=None, derandomize=True)
@given(_VALUES, st.booleans())
def test_both_ways_give_the_same(value: Any, is_ascii: bool) -> None:
    body = json.dumps([value], ensure_ascii=is_ascii).encode(errors="surrogatepass")
    try:
        expected = canonical_json._parse_carefully(body)
    except ValueError:
        expected = None
    try:
        found = parse(body)
    except ValueError:
        found = None
    assert found == expected
    assert repr(found) == repr(expected)  # True is 1, and 1 is 1.0


@pytest.mark.parametrize(
    "text", ["\\u0000", "\\\\u0000", "0" * 30, "call 00491234567890123456789 now", "1" * 19 + "a"]
)
def test_a_text_with_a_backslash_or_many_digits_is_read_the_quick_way(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 16: one such text in a hundred cost more than a third of a load."""
    with quick_only(monkeypatch):
        assert parse(json.dumps({"bugs": [{"title": text}]}).encode()) == (
            {"bugs": [{"title": text}]},
            0,
        )


@pytest.mark.parametrize("text", ['"\\u0000"', '"\\\\\\u0000"', "[1, 36893488147419103232]"])
def test_what_engines_read_in_different_ways_is_read_carefully(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with quick_only(monkeypatch), pytest.raises(pytest.fail.Exception, match="carefully"):
        parse(text.encode())


def test_an_integer_that_is_too_long_costs_no_list() -> None:
    """Python refuses more than 4,300 digits; all other bugs of the test were lost with it."""
    assert parse(b'[{"id":1,"x":%s}]' % (b"9" * 5000)) == ([{"id": 1, "x": None}], 1)
    assert parse(b"[%s]" % (b"9" * 4000)) == ([int("9" * 4000)], 0)
