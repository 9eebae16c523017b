"""How tests read an account: as the API is asked, but without HTTP."""

from collections.abc import Iterator
from typing import Any

from testio_sandbox import Account

EXECUTIONS = "user_story_version_executions"


def smallest(seed: int = 1, customer: int | str = 0) -> Account:
    return Account(products=3, tests=12, bugs=60, seed=seed, customer=customer)


def read(account: Account, path: str, **query: object) -> Any:
    answer = account(path, {name.replace("__", "[]"): [str(v)] for name, v in query.items()})
    assert answer.status == 200, answer.json()
    return answer.json()


def status(account: Account, path: str, **query: str) -> int:
    return account(path, {name: [value] for name, value in query.items()}).status


def pages(account: Account, path: str, per_page: int) -> Iterator[list[Any]]:
    page = 1
    while tests := read(account, path, page=page, per_page=per_page)["exploratory_tests"]:
        yield tests
        page += 1


def all_products(account: Account) -> list[Any]:
    products: list[Any] = read(account, "/products")["products"]
    return products


def all_features(account: Account) -> list[Any]:
    """Every feature as often as it is met."""
    paths = []
    for product in all_products(account):
        base = f"/products/{product['id']}"
        sections = [f"{base}/sections/{id_}/features" for id_ in section_ids(product)]
        paths += sections or [f"{base}/features"]
    return [feature for path in paths for feature in read(account, path)["features"]]


def all_tests(account: Account) -> list[Any]:
    paths = [f"/products/{product['id']}/exploratory_tests" for product in all_products(account)]
    return [test for path in paths for page in pages(account, path, 100) for test in page]


def all_test_features(account: Account) -> list[Any]:
    return [feature for test in all_tests(account) for feature in test["features"]]


def all_bugs(account: Account) -> list[Any]:
    bugs: list[Any] = read(account, "/bugs")["bugs"]
    return bugs


def section_ids(product: Any) -> set[int]:
    sections = product.get("sections") or []
    with_default = product.get("sections_with_default") or []
    has_sections = sections or len(with_default) > 1
    return {section["id"] for section in [*sections, *with_default]} if has_sections else set()


def all_executions(account: Account, **filters: list[Any]) -> list[Any]:
    """Read every page; a filter is repeated for each of its values."""
    query = {f"{name}[]": [str(value) for value in values] for name, values in filters.items()}
    found: list[Any] = []
    while True:
        page = {"page": [str(len(found) // 100 + 1)], "per_page": ["100"]}
        answer = account(f"/{EXECUTIONS}", query | page).json()
        found += answer[EXECUTIONS]
        if len(answer[EXECUTIONS]) < 100:
            assert answer["meta"] == {"record_count": len(found)}
            return found


def versions(account: Account, page: int = 1) -> list[tuple[int, int, int]]:
    """Test, user story and version of each user story in the tests on one page of each product."""
    return [
        (int(test["id"]), story["id"], story["user_story_version_id"])
        for product in all_products(account)
        for test in read(
            account,
            f"/products/{product['id']}/exploratory_tests",
            includes__="user_stories",
            page=page,
            per_page=100,
        )["exploratory_tests"]
        for feature in test["features"]
        for story in feature.get("user_stories") or []
    ]
