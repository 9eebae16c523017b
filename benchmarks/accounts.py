"""Synthetic accounts of any size, each served by a process of its own."""

import contextlib
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from testio_loader.api.endpoints import (
    BUGS,
    EXECUTIONS,
    FEATURES,
    PRODUCTS,
    REJECT_REASONS,
    TEST_CASE_RESULTS,
    TEST_CASE_TESTS,
    TEST_DETAILS,
    TEST_ENVIRONMENTS,
    TEST_TEMPLATES,
    TESTS,
    USER_STORIES,
)
from testio_sandbox import Account

LARGEST_PAGE = 100
LARGEST_BATCH = 200
_KEPT_BYTES = 8_000_000_000
"""Enough for all answers, so that none is made while something is measured."""
_PROJECT = Path(__file__).parents[1]
_PROGRAM = """
import sys
from benchmarks.accounts import Size
from testio_sandbox import serve
from testio_sandbox.changes import a_day
account = {size}.account()
with serve(account, latency={latency}) as sandbox:
    print(sandbox.url, flush=True)
    for day in sys.stdin:
        a_day(account, int(day))
        print("has passed", flush=True)
"""


@dataclass(frozen=True)
class Size:
    """How large an account is."""

    products: int
    tests: int
    bugs: int
    bug_bytes: int = 2000

    def account(self) -> Account:
        """Return the account, as it is today."""
        return Account(
            self.products,
            self.tests,
            self.bugs,
            bug_bytes=self.bug_bytes,
            kept_bytes=_KEPT_BYTES,
            today=datetime.now(UTC).date(),
        )

    def __str__(self) -> str:
        """Return what a table says of it."""
        return f"{self.products} products, {self.tests:,} tests, {self.bugs:,} bugs"


@dataclass(frozen=True)
class Served:
    """An account that is being served."""

    url: str
    _process: "subprocess.Popen[str]"

    def let_pass(self, day: int) -> None:
        """Let happen what happens in a day."""
        assert self._process.stdin
        assert self._process.stdout
        print(day, file=self._process.stdin, flush=True)
        self._process.stdout.readline()


@contextlib.contextmanager
def served(size: Size, latency: float = 0) -> Iterator[Served]:
    """Serve an account while the context lasts; `latency` is in seconds."""
    program = _PROGRAM.format(size=repr(size), latency=latency)
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=_PROJECT,  # where the program finds this package
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stdout
            match = re.match(r"http\S+", server.stdout.readline())
            assert match
            yield Served(match[0], server)
        finally:
            server.terminate()


def needed_paths(account: Account) -> list[str]:
    """Return the fewest questions that read a whole account, for who knows what is in it."""
    paths = [PRODUCTS.path, REJECT_REASONS.path]
    tests = []
    for product in _ask(account, PRODUCTS.path)["products"]:
        at_product = {"product_id": product["id"]}
        with_default = product.get("sections_with_default") or []
        plain = product.get("sections") or []
        has_sections = plain or len(with_default) > 1
        sections = {section["id"] for section in plain + with_default} if has_sections else ()
        for endpoint in (FEATURES, USER_STORIES):
            paths += [
                endpoint.section_path.format(section_id=section, **at_product)
                for section in sections
            ] or [endpoint.path.format(**at_product)]
        paths += [e.path.format(**at_product) for e in (TEST_ENVIRONMENTS, TEST_TEMPLATES)]
        pages = (
            f"{TESTS.path.format(**at_product)}&page={page}&per_page={LARGEST_PAGE}"
            for page in count(1)
        )
        for page in pages:
            paths.append(page)
            listed = _ask(account, page)["exploratory_tests"]
            tests += [(test, at_product | {"test_id": test["id"]}) for test in listed]
            if not listed:  # the end of the list is an empty page
                break
    for test, at_test in tests:
        paths.append(TEST_DETAILS.path.format(**at_test))
        if test["testing_type"] is None:
            paths += [e.path.format(**at_test) for e in (TEST_CASE_TESTS, TEST_CASE_RESULTS)]
    for some in _batches([test["id"] for test, _ in tests]):
        paths.append(BUGS.path.format(ids=BUGS.separator.join(map(str, some))))
    versions = [
        story["user_story_version_id"]
        for test, _ in tests
        for feature in test["features"]
        for story in feature.get("user_stories") or []
        if isinstance(story, dict)
    ]
    for some in _batches(versions):
        path = EXECUTIONS.path.format(ids=EXECUTIONS.separator.join(map(str, some)))
        found = _ask(account, f"{path}&page=1&per_page=1")["meta"]["record_count"]
        paths += [
            f"{path}&order=asc&page={page}&per_page={LARGEST_PAGE}"
            for page in range(1, max(1, -(-found // LARGEST_PAGE)) + 1)
        ]
    return paths


def _batches(ids: list[int]) -> list[list[int]]:
    return [ids[at : at + LARGEST_BATCH] for at in range(0, len(ids), LARGEST_BATCH)]


def _ask(account: Account, path: str) -> Any:
    parts = urlsplit(path)
    return account(parts.path, parse_qs(parts.query)).json()
