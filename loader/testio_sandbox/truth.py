"""Counts the records of an account from its answers, in plain Python.

Tests compare a warehouse with these counts. The code shares only the definitions in the API's
description with the loader and the models.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from testio_sandbox.server import Handler

_EXECUTED = frozenset({"running", "locked", "archived", "customer_finalized"})
_TESTS_PER_CALL = 20
_PARAMETERS = {"includes": "includes[]", "user_story_ids": "user_story_ids[]"}


@dataclass
class Truth:
    """Counts of records with a usable id; `unusable` counts the others."""

    products: int = 0
    features: int = 0
    """Distinct features; a feature in several sections counts once."""
    user_stories: int = 0
    """Distinct user stories of the catalogue."""
    test_environments: int = 0
    test_templates: int = 0
    reject_reasons: int = 0
    tests: int = 0
    executed_tests: int = 0
    test_details: int = 0
    """Answers of the single-test endpoint."""
    test_case_tests: int = 0
    test_case_results: int = 0
    executions: int = 0
    """User stories that a tester ran, or was to run, in a test."""
    executions_by_status: Counter[str] = field(default_factory=Counter)
    executions_by_story: Counter[int] = field(default_factory=Counter)
    """Counts that the API gives per user story of the catalogue or of a test."""
    test_feature_elements: int = 0
    """Elements in the `features` of all tests, kept and rejected."""
    test_features: int = 0
    """Kept elements: their feature is in the current catalogue."""
    rejected_test_features: Counter[str] = field(default_factory=Counter)
    """Rejected elements by reason: `no id`, `no feature_id`, `unknown feature`."""
    bugs: int = 0
    attributed_bugs: int = 0
    """Bugs that name a kept test feature."""
    unattributed_bugs: Counter[str] = field(default_factory=Counter)
    """Other bugs by reason: `none named`, `rejected test feature`, `carried by no test`."""
    known_bugs: int = 0
    bugs_by_status: Counter[str] = field(default_factory=Counter)
    bugs_by_severity: Counter[str] = field(default_factory=Counter)
    bugs_by_test: Counter[int] = field(default_factory=Counter)
    bugs_by_product: Counter[int] = field(default_factory=Counter)
    bugs_by_feature: Counter[int] = field(default_factory=Counter)
    """Attributed bugs by feature of the catalogue."""
    rejected_bugs_by_reason: Counter[str | None] = field(default_factory=Counter)
    unusable: Counter[str] = field(default_factory=Counter)
    """Records without a usable id, by kind."""


def find_truth(handler: Handler) -> Truth:
    """Read a whole account and count its records."""
    return _Count(handler).truth


class _Count:
    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self.truth = Truth()
        products = self._keyed("products", self._get("/products", "products"))
        self._catalogue: set[int] = set()
        self._stories: set[int] = set()
        for id_, product in products.items():
            self._count_catalogue(id_, product)
            self._count_settings(id_)
        self.truth.user_stories = len(self._stories)
        tests: dict[int, Any] = {}
        self._kept: dict[int, int] = {}
        self._rejected: set[int] = set()
        for id_ in products:
            of_product = self._keyed("tests", self._tests(f"/products/{id_}/exploratory_tests"))
            for test_id, test in of_product.items():
                self._count_test(test)
                self._count_details(id_, test_id, test)
            tests |= of_product
        reasons = self._get("/bugs/reject_reasons", "reject_reasons")
        self._reasons = [(reason["default_comment"], reason["key"]) for reason in reasons]
        self._count_bugs(list(tests))
        self._count_executions()
        self.truth.products, self.truth.features = len(products), len(self._catalogue)
        self.truth.tests, self.truth.reject_reasons = len(tests), len(reasons)
        self.truth.test_features = len(self._kept)

    def _request(self, path: str, **query: object) -> Any:
        answer = self._handler(
            path, {_PARAMETERS.get(name, name): [str(value)] for name, value in query.items()}
        )
        if answer.status != 200:
            raise ValueError(f"{path} answers {answer.status}: {answer.json()}")
        return answer.json()

    def _get(self, path: str, key: str, **query: object) -> list[Any]:
        """Return a list, given directly or under a key."""
        answer = self._request(path, **query)
        found: list[Any] = answer if isinstance(answer, list) else answer[key]
        return found

    def _pages(self, path: str, key: str, **query: object) -> list[Any]:
        records: list[Any] = []
        page = 1
        while found := self._get(path, key, page=page, per_page=100, **query):
            records += found
            page += 1
        return records

    def _tests(self, path: str) -> list[Any]:
        return self._pages(path, "exploratory_tests", includes="user_stories")

    def _keyed(self, kind: str, records: list[Any]) -> dict[int, Any]:
        ids = [_id(record) for record in records]
        self.truth.unusable[kind] += ids.count(None)
        return {id_: r for id_, r in zip(ids, records, strict=True) if id_ is not None}

    def _count_catalogue(self, product_id: int, product: dict[str, Any]) -> None:
        sections = product.get("sections") or []
        with_default = product.get("sections_with_default") or []
        base = f"/products/{product_id}"
        lists: list[tuple[str, dict[str, object]]] = [(f"{base}/features", {})]
        if sections or len(with_default) > 1:
            ids = sorted({section["id"] for section in [*sections, *with_default]})
            lists = [(f"{base}/sections/{id_}/features", {"section_id": id_}) for id_ in ids]
        for path, query in lists:
            self._catalogue |= self._keyed("features", self._get(path, "features")).keys()
            stories = self._get(f"{base}/user_stories", "user_stories", **query)
            self._stories |= self._keyed("user_stories", stories).keys()

    def _count_settings(self, product_id: int) -> None:
        key = "test_environments"
        environments = self._get(f"/products/{product_id}/{key}", key)
        self.truth.test_environments += len(self._keyed(key, environments))
        key = "test_templates"
        templates = self._get(f"/{key}", key, product_id=product_id)
        self.truth.test_templates += len(self._keyed(key, templates))

    def _count_test(self, test: dict[str, Any]) -> None:
        self.truth.executed_tests += test.get("status") in _EXECUTED
        for element in test.get("features") or []:
            self.truth.test_feature_elements += 1
            id_, feature_id = _id(element), _id(element, "feature_id")
            if id_ is None:
                self.truth.rejected_test_features["no id"] += 1
            elif feature_id is None:
                self.truth.rejected_test_features["no feature_id"] += 1
                self._rejected.add(id_)
            elif feature_id not in self._catalogue:
                self.truth.rejected_test_features["unknown feature"] += 1
                self._rejected.add(id_)
            else:
                self._kept[id_] = feature_id
            stories = element.get("user_stories") if isinstance(element, dict) else None
            self._stories |= {id_ for story in stories or [] if (id_ := _id(story)) is not None}

    def _count_details(self, product_id: int, test_id: int, test: dict[str, Any]) -> None:
        self.truth.test_details += "exploratory_test" in self._request(
            f"/exploratory_tests/{test_id}"
        )
        if test.get("testing_type") is None:
            path = f"/products/{product_id}/test_case_tests/{test_id}"
            self.truth.test_case_tests += "test_case_test" in self._request(path)
            answer = self._request(f"{path}/results")
            results = answer if isinstance(answer, list) else next(iter(answer.values()))
            self.truth.test_case_results += len(self._keyed("test_case_results", results))

    def _count_executions(self) -> None:
        key = "user_story_version_executions"
        executions = self._keyed(key, self._pages(f"/{key}", key))
        self.truth.executions = len(executions)
        self.truth.executions_by_status.update(str(e.get("status")) for e in executions.values())
        for story in self._stories:
            if count := self._request(f"/{key}", user_story_ids=story)["meta"]["record_count"]:
                self.truth.executions_by_story[story] = count

    def _count_bugs(self, test_ids: list[int]) -> None:
        seen: set[int] = set()
        for at in range(0, len(test_ids), _TESTS_PER_CALL):
            named = ",".join(map(str, test_ids[at : at + _TESTS_PER_CALL]))
            bugs = self._keyed("bugs", self._get("/bugs", "bugs", filter_test_cycle_ids=named))
            for id_, bug in bugs.items():
                if id_ not in seen:
                    self._count_bug(bug)
            seen |= bugs.keys()
        self.truth.bugs = len(seen)

    def _count_bug(self, bug: dict[str, Any]) -> None:
        truth, status = self.truth, bug.get("status")
        if status == "accepted" and bug.get("auto_accepted") is True:
            status = "auto_accepted"
        truth.bugs_by_status[str(status)] += 1
        truth.bugs_by_severity[str(bug.get("severity"))] += 1
        truth.known_bugs += bug.get("known") is True
        for counts, name in ((truth.bugs_by_test, "test"), (truth.bugs_by_product, "product")):
            if (id_ := _id(bug.get(name))) is not None:
                counts[id_] += 1
        if status == "rejected":
            truth.rejected_bugs_by_reason[self._reason(bug)] += 1
        test_feature_id = _id(bug.get("test_feature"))
        if test_feature_id is None:
            truth.unattributed_bugs["none named"] += 1
        elif test_feature_id in self._kept:
            truth.attributed_bugs += 1
            truth.bugs_by_feature[self._kept[test_feature_id]] += 1
        elif test_feature_id in self._rejected:
            truth.unattributed_bugs["rejected test feature"] += 1
        else:
            truth.unattributed_bugs["carried by no test"] += 1

    def _reason(self, bug: dict[str, Any]) -> str | None:
        """Return the reason: the first comment with a default comment decides, then API order."""
        for comment in bug.get("comments") or []:
            for default_comment, key in self._reasons:
                if default_comment in (comment.get("body") or ""):
                    return str(key)
        return None


def _id(record: Any, name: str = "id") -> int | None:
    value = record.get(name) if isinstance(record, dict) else None
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
