"""The synthetic account: answers like the API, and can be edited as a real account changes."""

import re
from collections.abc import Callable
from datetime import date, datetime
from itertools import count
from typing import Any

import orjson

from testio_sandbox import cases, traps
from testio_sandbox.bugs import Bugs
from testio_sandbox.content import REJECT_REASONS
from testio_sandbox.executions import Executions
from testio_sandbox.exploratory import ExploratoryTests
from testio_sandbox.plan import Plan
from testio_sandbox.query import RefusedError, choice, ids, one_id, page, wants_stories
from testio_sandbox.record import Kind, Record, part, parts, usable_id
from testio_sandbox.records import Records
from testio_sandbox.server import Answer, Query
from testio_sandbox.store import PARENTS, Store
from testio_sandbox.templates import test_templates
from testio_sandbox.traps import SIGNATURE
from testio_sandbox.truth import Truth, find_truth

_TESTS_WITHOUT_PAGE = 150
_EXPORT_STATUSES = ("any", "exported", "not_exported", "export_requested")


class Account:
    """The account of one customer: a handler for `serve`.

    Equal arguments give equal answers; only the signatures of attachments differ per read. Records
    are created on demand and cached, so a large account needs little memory.

    Args:
        customer: name or number. Customers share testers, but no ids.
        bug_bytes: minimum size of a bug in bytes.
        kept_bytes: size limit of the cache in bytes.
        today: date to which all times are relative.
        days: number of days before `today` on which the account begins. `next_day` moves it on, and
            after so many days it is the account that `days=0` gives.
    """

    def __init__(
        self,
        products: int = 6,
        tests: int = 40,
        bugs: int = 400,
        seed: int = 1,
        customer: int | str = 0,
        *,
        bug_bytes: int = 2000,
        kept_bytes: int = 128_000_000,
        today: date = date(2026, 11, 1),
        days: int = 0,
    ) -> None:
        self._plan = Plan(products, tests, bugs, seed, customer, today, days)
        self._records = Records(self._plan)
        makers: dict[Kind, Callable[[int], Record]] = {
            "products": self._records.product,
            "features": self._records.feature,
            "tests": self._records.test,
            "bugs": Bugs(self._plan, self._records, bug_bytes).make,
        }
        self._store = Store(self._plan, makers, kept_bytes)
        self._executions = Executions(self._plan, self._store, self._records)
        self._exploratory = ExploratoryTests(
            self._plan, self._store, self._records, self._executions
        )
        self._reads = count(1)

    def __call__(self, path: str, query: Query) -> Answer:
        """Answer a request; `path` is relative to the base URL."""
        try:
            body = orjson.dumps(self._answer(path, query))
        except RefusedError as refusal:
            return Answer(refusal.status, {"error": str(refusal)})
        return Answer(200, body.replace(SIGNATURE.encode(), b"%d" % next(self._reads)))

    @property
    def now(self) -> datetime:
        """The present of this account, always at midnight: nothing has happened later."""
        return self._plan.now

    @property
    def today(self) -> date:
        """The date of its present."""
        return self._plan.now.date()

    def next_day(self) -> None:
        """Let a day pass.

        Tests begin and end, bugs are reported, decided, turned round and deleted, comments come.

        Raises:
            ValueError: on the last day, the `today` of the constructor.
        """
        self._plan.next_day()
        self._records.next_day()
        self._store.prepared.forget()

    def truth(self) -> Truth:
        """Count the records served now, to compare a warehouse with."""
        return find_truth(self)

    # Edits between two loads

    def change(self, kind: Kind, id_: int, **fields: Any) -> None:
        """Change fields of a record; the value MISSING removes a field."""
        self._store.change(kind, id_, fields)

    def remove(self, kind: Kind, id_: int) -> None:
        """Remove a record and everything that belongs to it."""
        self._store.remove(kind, id_)

    def add(self, kind: Kind, record: Any, parent: int | None = None) -> None:
        """Add a record exactly as given, even a malformed one.

        Args:
            parent: id of the product of a feature or test, or of the test of a bug. Not needed if
                the record names it.
        """
        if parent is None and kind in PARENTS and isinstance(record, dict):
            parent = usable_id(record.get(PARENTS[kind].removesuffix("s")))
        self._store.add(kind, record, parent)

    # Answers

    def _answer(self, path: str, query: Query) -> Any:
        for pattern, answer in _ROUTES:
            if match := pattern.fullmatch(path):
                return answer(self, query, *map(int, match.groups()))
        raise RefusedError(404, "unknown path")

    def _products(self, query: Query) -> Any:
        return {"products": self._all("products", self._store.numbers("products"))}

    def _product(self, query: Query, product_id: int) -> Any:
        return {"product": self._store.get("products", self._find("products", product_id))}

    def _features(self, query: Query, product_id: int) -> Any:
        product = self._find("products", product_id)
        if self._sections(product):
            raise RefusedError(422, "this product has sections: request the features per section")
        return {"features": self._catalogue(product, None, expand=wants_stories(query))}

    def _section_features(self, query: Query, product_id: int, section_id: int) -> Any:
        product = self._find("products", product_id)
        return {"features": self._catalogue(product, section_id, expand=wants_stories(query))}

    def _user_stories(self, query: Query, product_id: int) -> Any:
        product = self._find("products", product_id)
        section_id = one_id(query, "section_id")
        if section_id is None and self._sections(product):
            raise RefusedError(422, "this product has sections: name a section_id")
        features = self._catalogue(product, section_id, expand=True)
        stories = [story for feature in features for story in parts(feature, "user_stories")]
        names = ("id", "path", "title")
        return {"user_stories": [{name: story.get(name) for name in names} for story in stories]}

    def _environments(self, query: Query, product_id: int) -> Any:
        product = self._find("products", product_id)
        return {"test_environments": self._records.environments(product) if product >= 0 else []}

    def _templates(self, query: Query) -> Any:
        product_id = one_id(query, "product_id")
        if product_id is None:
            raise RefusedError(422, "name a product_id")
        product = self._find("products", product_id)
        section_id, sections = one_id(query, "section_id"), self._sections(product)
        if section_id is not None and section_id not in sections:
            raise RefusedError(404, "this product has no such section")
        return test_templates(self._plan, product, sections, section_id)

    def _tests(self, query: Query, product_id: int) -> Any:
        product = self._find("products", product_id)
        numbers = self._store.numbers("tests", product)
        numbers = page(query, numbers) if "page" in query else numbers[:_TESTS_WITHOUT_PAGE]
        return {"exploratory_tests": self._exploratory.listed(numbers, expand=wants_stories(query))}

    def _test(self, query: Query, test_id: int) -> Any:
        number = self._find("tests", test_id)
        return {"exploratory_test": self._exploratory.details(number, expand=wants_stories(query))}

    def _bugs(self, query: Query) -> Any:
        section_ids = ids(query, "filter_section_ids")
        export_status = choice(query, "export_status", _EXPORT_STATUSES)
        tests = self._chosen_tests(query)
        numbers = [n for test in tests for n in self._store.numbers("bugs", test)]
        if section_ids is None and export_status == "any":
            return {"bugs": [self._store.fragment("bugs", number) for number in numbers]}
        bugs = self._all("bugs", numbers)
        if section_ids is not None:
            bugs = [bug for bug in bugs if usable_id(part(bug, "section")) in section_ids]
        if export_status != "any":  # the sandbox has no requested exports
            bugs = [bug for bug in bugs if _export_status(bug) == export_status]
        return {"bugs": bugs}

    def _reject_reasons(self, query: Query) -> Any:
        names = ("key", "name", "default_comment")
        return {"reject_reasons": [dict(zip(names, r, strict=True)) for r in REJECT_REASONS]}

    def _user_story_executions(self, query: Query) -> Any:
        return self._executions.answer(query)

    def _test_case_test(self, query: Query, product_id: int, test_id: int) -> Any:
        return {"test_case_test": cases.test_case_test(self._case_test(product_id, test_id))}

    def _case_results(self, query: Query, product_id: int, test_id: int) -> Any:
        """Answer in one of the three known shapes."""
        results = cases.results(self._case_test(product_id, test_id))
        shapes = (results, {"results": results}, {"test_case_results": results})
        return shapes[test_id % 3]

    # Shared by answers

    def _find(self, kind: Kind, id_: int) -> int:
        number = self._store.find(kind, id_)
        if number is None:
            raise RefusedError(404, f"none of the {kind} has this id")
        return number

    def _all(self, kind: Kind, numbers: list[int]) -> list[Any]:
        return [self._store.get(kind, number) for number in numbers]

    def _chosen_tests(self, query: Query) -> list[int]:
        """Return the tests that the filters select; unknown ids are ignored."""
        chosen = {
            kind: [n for n in (self._store.find(kind, id_) for id_ in named) if n is not None]
            for kind, name in _TEST_FILTERS
            if (named := ids(query, name)) is not None
        }
        products = chosen.get("products", self._store.numbers("products"))
        if "tests" in chosen:
            return [n for n in chosen["tests"] if self._store.parent("tests", n) in products]
        return [n for product in products for n in self._store.numbers("tests", product)]

    def _case_test(self, product_id: int, test_id: int) -> Record:
        number = self._find("tests", test_id)
        test: Record = self._store.get("tests", number)
        is_of_product = self._find("products", product_id) == self._store.parent("tests", number)
        if not is_of_product or test.get("testing_type") is not None:
            raise RefusedError(404, "this product has no such test case test")
        return test

    def _sections(self, product: int) -> list[int]:
        return [section["id"] for section in traps.sections(self._store.get("products", product))]

    def _catalogue(self, product: int, section_id: int | None, *, expand: bool) -> list[Any]:
        """Return the features of a product, or of one of its sections."""
        sections = self._sections(product)
        if section_id is not None and section_id not in sections:
            raise RefusedError(404, "this product has no such section")
        features = []
        for number in self._store.numbers("features", product):
            feature = self._store.get("features", number)
            # An added feature can name its sections; without `section_ids`, it is in all sections.
            found_in = self._records.section_ids(number) if number >= 0 else sections
            if isinstance(feature, dict):
                found_in = feature.get("section_ids", found_in)
            if section_id is None or section_id in found_in:
                features.append(feature)
        return [self._records.expanded(f, product) for f in features] if expand else features


def _export_status(bug: Any) -> str:
    return "exported" if isinstance(bug, dict) and bug.get("exported_at") else "not_exported"


_TEST_FILTERS: tuple[tuple[Kind, str], ...] = (
    ("products", "filter_product_ids"),
    ("tests", "filter_test_cycle_ids"),
)
_ROUTES: list[tuple[re.Pattern[str], Callable[..., Any]]] = [
    (re.compile(path.replace("#", "([0-9]{1,18})")), answer)
    for path, answer in (
        ("/products", Account._products),
        ("/products/#", Account._product),
        ("/products/#/features", Account._features),
        ("/products/#/sections/#/features", Account._section_features),
        ("/products/#/user_stories", Account._user_stories),
        ("/products/#/test_environments", Account._environments),
        ("/products/#/exploratory_tests", Account._tests),
        ("/products/#/test_case_tests/#", Account._test_case_test),
        ("/products/#/test_case_tests/#/results", Account._case_results),
        ("/exploratory_tests/#", Account._test),
        ("/bugs", Account._bugs),
        ("/bugs/reject_reasons", Account._reject_reasons),
        ("/test_templates", Account._templates),
        ("/user_story_version_executions", Account._user_story_executions),
    )
]
