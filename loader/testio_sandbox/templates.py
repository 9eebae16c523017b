"""Test templates, from which tests of a product can be started."""

from typing import Any

from testio_sandbox.plan import Plan
from testio_sandbox.record import Record
from testio_sandbox.traps import sections_of_feature

_TEMPLATES = (
    # title, scenario, hours: minimum, maximum, default
    ("Smoke test", "Buy something on each device.", (2, 24, 4)),
    ("New feature in depth", "<p>Do what the user stories say.\nThen do not.</p>", (24, 120, 48)),
    ("Weekend regression 🛒", None, (48, 72, None)),
)


def test_templates(plan: Plan, product: int, sections: list[int], section_id: int | None) -> Any:
    """Return the templates of a product or section, in one of the two known shapes."""
    templates = [
        _template(plan.id("test_templates", 10 * product + place), place)
        for place in range((product + 1) % 4 if product >= 0 else 0)
        if section_id is None or section_id in sections_of_feature(place, sections)
    ]
    return {"test_templates": templates} if product % 2 else templates


def _template(id_: int, place: int) -> Record:
    title, scenario, (shortest, longest, default) = _TEMPLATES[place]
    return {
        "id": id_,
        "title": title,
        "test_scenario_template": scenario,
        "max_test_duration": longest,
        "min_test_duration": shortest,
        "default_test_duration": default,
    }
