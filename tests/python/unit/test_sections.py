"""Sections of a product, whatever the API says they are."""

import json
from pathlib import Path
from typing import Any

import pytest
import raw
from conftest import Loaded, Run
from sandbox_reads import all_products, section_ids

from testio_loader.api.endpoints import FEATURES, TEST_ENVIRONMENTS
from testio_loader.read.crawler import _paths
from testio_sandbox import Account, Answer, Query


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        ({"id": "6a", "name": "Odd"}, 'section id "6a" cannot be read'),
        ({"id": None}, "section without an id"),
        ({"name": "No id"}, "section without an id"),
        ({"id": {"value": 6}}, 'section id {"value":6} cannot be read'),
        ({"id": -6}, "section id -6 cannot be read"),
        ({"id": "6" * 500}, 'section id "' + "6" * 39 + " cannot be read"),
        ("6a", 'section "6a" is not an object'),
        (None, "section null is not an object"),
        ([6], "section [6] is not an object"),
    ],
)
@pytest.mark.parametrize("name", ["sections", "sections_with_default"])
def test_a_section_that_cannot_be_read_is_named(name: str, odd: Any, why: str) -> None:
    """Issue 15, row 3: the others are read."""
    paths, problems = _paths(FEATURES, 1, {name: [{"id": 5}, odd]})
    assert [section_id for section_id, _ in paths] == [5]
    assert problems == [why]
    assert _paths(TEST_ENVIRONMENTS, 1, {name: [{"id": 5}, odd]})[1] == []


@pytest.mark.parametrize("name", ["sections", "sections_with_default"])
@pytest.mark.parametrize("value", [{"id": 5}, {"5": {"id": 5}}, "5", 5, True])
def test_sections_of_another_type_are_named(name: str, value: Any) -> None:
    """Issue 15, row 3: how many there are is not known."""
    other = {"sections", "sections_with_default"} - {name}
    paths, problems = _paths(FEATURES, 1, {name: value})
    assert [section_id for section_id, _ in paths] == [None]
    assert problems == [f"{name} is not a list"]
    paths, problems = _paths(FEATURES, 1, {name: value, other.pop(): [{"id": 7}, {"id": 8}]})
    assert [section_id for section_id, _ in paths] == [7, 8]
    assert problems == [f"{name} is not a list"]


@pytest.mark.parametrize(
    "product",
    [
        {},
        {"sections": None, "sections_with_default": None},
        {"sections": [], "sections_with_default": []},
        {"sections": [], "sections_with_default": [{"id": 5}]},
        {"sections": [], "sections_with_default": [{"id": "6a"}]},
        {"sections": {}, "sections_with_default": ""},
    ],
)
def test_an_ordinary_product_has_no_sections(product: Any) -> None:
    """Issue 15, row 3: the only entry of `sections_with_default` is not asked for."""
    paths, problems = _paths(FEATURES, 1, product)
    assert [section_id for section_id, _ in paths] == [None]
    assert problems == []


def test_features_of_a_section_that_cannot_be_read_are_not_deleted(
    account: Account, run: Run, loaded: Path, undisturbed: Loaded
) -> None:
    """Issue 15, row 3: features and user stories are incomplete; nothing counts as deleted."""
    product = next(p for p in all_products(account) if section_ids(p))["id"]
    unreadable, *_ = sorted(
        section_ids(next(p for p in all_products(account) if p["id"] == product))
    )
    (only_there, *_) = json.loads(undisturbed.raw.present["features", product, None])

    def odd(path: str, query: Query) -> Answer:
        found = account(path, query).json()
        if path == "/products":
            for section in sections_of(next(p for p in found["products"] if p["id"] == product)):
                section["id"] = "6a" if section["id"] == unreadable else section["id"]
        if path.startswith(f"/products/{product}/sections/"):
            found["features"] = [f for f in found["features"] if f["id"] != only_there]
        return Answer(200, found)

    result = run(odd)
    assert result.exit_code == 3, result.output
    landed = raw.read(loaded)
    assert landed.incomplete == {
        (name, product, None): 'section id "6a" cannot be read'
        for name in ("features", "user_stories")
    }
    assert str(only_there) not in landed.present["features", product, None]
    assert landed.current["features"] == undisturbed.raw.current["features"]


def sections_of(product: Any) -> list[Any]:
    return [*(product["sections"] or []), *(product["sections_with_default"] or [])]
