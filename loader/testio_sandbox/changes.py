"""Changes an account as it changes from one day to the next.

Only data that a loader re-reads changes: open tests, tests that ended less than 30 days ago, and
lists that are always read completely.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

from testio_sandbox.account import Account
from testio_sandbox.content import CUSTOMER_USERS, REJECT_REASONS
from testio_sandbox.fresh import new_bug, new_test
from testio_sandbox.record import Record, usable_id
from testio_sandbox.traps import sections

_FINAL = ("archived", "cancelled")
_SETTLING = timedelta(days=29)
_FEWEST_FEATURES = 4
_NEW_BUGS = 3


def a_day(account: Account, day: int) -> None:
    """Apply the changes of a day; equal accounts change equally on the same day."""
    products = account("/products", {}).json()["products"]
    product = products[day % len(products)]
    tests = list(_unsettled_tests(account, products))
    _move_on(account, tests)
    _triage(account, tests, day)
    _empty_a_test(account, tests)
    _start_tests(account, product["id"], day)
    _edit_catalogue(account, product, day)


def _unsettled_tests(account: Account, products: list[Record]) -> Iterator[Record]:
    for product in products:
        page = 1
        while tests := _tests(account, product["id"], page):
            found = [test for test in tests if _is_unsettled(account, test)]
            yield from found
            if not found:  # later pages have only older tests
                break
            page += 1


def _tests(account: Account, product_id: int, page: int) -> list[Record]:
    path = f"/products/{product_id}/exploratory_tests"
    answer = account(path, {"page": [str(page)], "per_page": ["100"]})
    tests: list[Record] = answer.json()["exploratory_tests"]
    return tests


def _is_unsettled(account: Account, test: Record) -> bool:
    if test["status"] not in _FINAL:
        return True
    since = _midnight(account) - _SETTLING
    return test["end_at"] is not None and datetime.fromisoformat(test["end_at"]) > since


def _move_on(account: Account, tests: list[Record]) -> None:
    """Archive a test that was locked, and lock one that was running."""
    for status, next_status in (("locked", "archived"), ("running", "locked")):
        test = next((test for test in tests if test["status"] == status), None)
        if test:
            end = _midnight(account).isoformat() if status == "running" else test["end_at"]
            account.change("tests", _id(test), status=next_status, end_at=end)


def _triage(account: Account, tests: list[Record], day: int) -> None:
    """Apply the verdicts of the customer and the system, each to a different bug."""
    bugs = [bug for test in tests for bug in _bugs(account, test)]
    reason = REJECT_REASONS[day % len(REJECT_REASONS)][2]
    for is_due, verdict in (
        (_is("rejected"), {"status": "forwarded"}),
        (_is("accepted"), {"known": True}),
        (_is("forwarded"), {"status": "accepted", "auto_accepted": False}),
        (_is("forwarded"), {"status": "accepted", "auto_accepted": True}),
        (_is("forwarded"), {"status": "rejected"}),
    ):
        bug = next(filter(is_due, bugs), None)
        if bug is None:
            continue
        bugs.remove(bug)
        fields: Record = dict(verdict)
        if fields.get("status") == "rejected":
            fields["comments"] = [*(bug.get("comments") or []), _comment(account, bug, reason, day)]
        account.change("bugs", _id(bug), **fields)


def _is(status: str) -> Callable[[Record], bool]:
    return lambda bug: bug["status"] == status and not bug.get("known")


def _empty_a_test(account: Account, tests: list[Record]) -> None:
    """Delete all bugs of the test that has the fewest."""
    fewest = min(filter(None, (_bugs(account, test) for test in tests)), key=len, default=[])
    for bug in fewest:
        account.remove("bugs", _id(bug))


def _start_tests(account: Account, product_id: int, day: int) -> None:
    """Start a test that has bugs at once, and draft another test."""
    start = _midnight(account) - timedelta(hours=12)
    end = start + timedelta(days=4)
    dates = {"start_at": start.isoformat(), "end_at": end.isoformat()}
    test = new_test(account, product_id, f"Begun on day {day}", status="running", **dates)
    account.add("tests", test)
    for place in range(_NEW_BUGS):
        account.add("bugs", new_bug(test, place))
    account.add("tests", new_test(account, product_id, f"Drafted on day {day}"))


def _edit_catalogue(account: Account, product: Record, day: int) -> None:
    """Rename a product and one of its features, and delete another feature."""
    account.change("products", product["id"], name=f"{product['name']} ({day})")
    features = _features(account, product)
    renamed = features[day % len(features)]
    account.change("features", renamed["id"], title=f"{renamed['title']} ({day})")
    features.remove(renamed)
    if len(features) >= _FEWEST_FEATURES:
        account.remove("features", features[-1]["id"])


def _features(account: Account, product: Record) -> list[Record]:
    base = f"/products/{product['id']}"
    paths = [f"{base}/sections/{section['id']}/features" for section in sections(product)]
    found: dict[int, Record] = {}
    for path in paths or [f"{base}/features"]:
        found |= {feature["id"]: feature for feature in account(path, {}).json()["features"]}
    return [found[id_] for id_ in sorted(found)]


def _bugs(account: Account, test: Record) -> list[Record]:
    answer = account("/bugs", {"filter_test_cycle_ids": [str(_id(test))]})
    bugs: list[Record] = answer.json()["bugs"]
    return bugs


def _comment(account: Account, bug: Record, body: str, day: int) -> Record:
    return {
        "id": 10 * _id(bug) + 9 - day % 5,
        "body": body,
        "author": {"name": CUSTOMER_USERS[day % len(CUSTOMER_USERS)]},
        "created_at": _midnight(account).isoformat(),
    }


def _id(record: Any) -> int:
    id_ = usable_id(record)
    if id_ is None:
        raise ValueError("a record has no id: call `a_day` before adding such records")
    return id_


def _midnight(account: Account) -> datetime:
    return datetime.combine(account.today, time(), UTC)
