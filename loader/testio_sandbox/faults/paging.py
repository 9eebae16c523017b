"""Faults in the pages of a list of tests."""

from collections.abc import Callable
from inspect import unwrap
from threading import Lock

from testio_sandbox.account import Account
from testio_sandbox.faults.common import KEY, around, product_of_list, records_in
from testio_sandbox.fresh import new_test
from testio_sandbox.record import usable_id
from testio_sandbox.server import Answer, Handler, Query


def page_ignored(handler: Handler) -> Handler:
    """Always return the first page."""

    @around(handler)
    def answer(path: str, query: Query) -> Answer:
        if product_of_list(path) is not None and "page" in query:
            query = {**query, "page": ["1"]}
        return handler(path, query)

    return answer


def small_pages(handler: Handler, *, at_most: int = 40) -> Handler:
    """Return smaller pages than requested, without a notice."""

    @around(handler)
    def answer(path: str, query: Query) -> Answer:
        if product_of_list(path) is not None and "per_page" in query:
            query = {**query, "per_page": [str(min(int(query["per_page"][0]), at_most))]}
        return handler(path, query)

    return answer


def overlapping_pages(handler: Handler) -> Handler:
    """Begin each page with the last record of the page before."""

    @around(handler)
    def answer(path: str, query: Query) -> Answer:
        found, page = handler(path, query), int(query.get("page", ["1"])[0])
        tests = records_in(found, KEY) if product_of_list(path) is not None and page > 1 else []
        if not tests:
            return found
        before = handler(path, {**query, "page": [str(page - 1)]})
        return Answer(200, {KEY: records_in(before, KEY)[-1:] + tests})

    return answer


def shifting(handler: Handler) -> Handler:
    """Remove the first test, once, after the first of several pages was returned."""

    def vanish(account: Account, product_id: int, first_id: int) -> None:
        account.remove("tests", first_id)

    return _edited_while_read(handler, vanish)


def growing(handler: Handler) -> Handler:
    """Add a test before all others, once, after the first of several pages was returned."""

    def grow(account: Account, product_id: int, first_id: int) -> None:
        account.add("tests", new_test(account, product_id, "Added while the list was read"))

    return _edited_while_read(handler, grow)


def _edited_while_read(handler: Handler, edit: Callable[[Account, int, int], None]) -> Handler:
    account = unwrap(handler)
    if not isinstance(account, Account):
        raise TypeError("only an account can be edited")
    lock, is_done = Lock(), False

    @around(handler)
    def answer(path: str, query: Query) -> Answer:
        nonlocal is_done
        found, product_id = handler(path, query), product_of_list(path)
        if product_id is None or query.get("page") != ["1"]:
            return found
        with lock:
            tests = [] if is_done else records_in(found, KEY)
            if tests and records_in(account(path, {**query, "page": ["2"]}), KEY):
                edit(account, product_id, usable_id(tests[0]) or 0)
                is_done = True
        return found

    return answer
