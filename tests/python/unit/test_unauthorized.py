"""A token that is refused at one endpoint costs that endpoint; refused everywhere, all of them."""

import re
from pathlib import Path

import pytest
import raw
from conftest import Loaded, Run
from sandbox_reads import all_products

from testio_loader.api.base import UnauthorizedError
from testio_loader.api.client import Client
from testio_sandbox import TOKEN, Account, Answer, Handler, Query, serve
from testio_sandbox.faults.common import Tally

PROBES = ["/bugs/reject_reasons", "/products"]


def unauthorized(account: Account, pattern: str) -> tuple[Handler, list[str]]:
    """Answer some paths with 401; return what is asked as well."""
    asked: list[str] = []

    def answer(path: str, query: Query) -> Answer:
        asked.append(path)
        return Answer(401) if re.fullmatch(pattern, path) else account(path, query)

    return answer, asked


@pytest.mark.parametrize(
    ("endpoint", "pattern"),
    [
        ("test_environments", "/products/.*/test_environments"),
        ("bugs", "/bugs"),
        ("reject_reasons", "/bugs/reject_reasons"),
        ("test_details", "/exploratory_tests/.*"),
    ],
)
def test_an_endpoint_that_refuses_the_token_costs_no_other(
    endpoint: str, pattern: str, account: Account, run: Run, loaded: Path, undisturbed: Loaded
) -> None:
    """Issue 15, row 15: an account without rights for environments never got a bug."""
    handler, asked = unauthorized(account, pattern)
    result = run(handler)
    assert result.exit_code == 3
    landed = raw.read(loaded)
    assert raw.differences(landed, undisturbed.raw) == []
    assert {scope[0] for scope in landed.incomplete} == {endpoint}
    assert all(outcome.startswith("HTTP 401") for outcome in landed.incomplete.values())
    # Each load asks for both once; more than that is a probe: one, not one for each refusal.
    more = sum(path in PROBES for path in asked) - len(PROBES)
    assert more <= (2 if endpoint == "reject_reasons" else 1)


def test_a_product_that_refuses_the_token_costs_no_other(
    account: Account, run: Run, loaded: Path, undisturbed: Loaded
) -> None:
    """Issue 15, row 15: one probe for each kind of call, whichever product refuses it."""
    product = all_products(account)[0]["id"]
    handler, asked = unauthorized(account, f"/products/{product}/.*")
    result = run(handler)
    assert result.exit_code == 3
    landed = raw.read(loaded)
    assert raw.differences(landed, undisturbed.raw) == []
    assert {product_id for _, product_id, _ in landed.incomplete if product_id} == {product}
    kinds = {re.sub("[0-9]+", "#", path) for path in asked if path.startswith("/products/")}
    assert sum(path in PROBES for path in asked) - len(PROBES) <= len(kinds)


def test_a_token_that_is_refused_everywhere_takes_three_calls(account: Account) -> None:
    """Issue 15, row 15: the call itself, and the two that every account has an answer to."""
    handler, asked = unauthorized(account, ".*")
    with serve(handler) as sandbox:
        client = Client(sandbox.url, TOKEN)
        for _ in range(3):
            with pytest.raises(Exception, match="the API refuses the token"):
                client.get("/exploratory_tests/1", ["exploratory_test"], is_object=True)
    assert asked == ["/exploratory_tests/1", *PROBES]


def test_a_probe_that_finds_the_api_down_says_nothing_of_the_token(account: Account) -> None:
    """Issue 15, row 15: only a refusal of every probe ends the reading."""

    def answer(path: str, query: Query) -> Answer:
        return Answer(503 if path in PROBES else 401)

    with serve(answer) as sandbox, pytest.raises(UnauthorizedError):
        Client(sandbox.url, TOKEN).get("/bugs", ["bugs"])


def test_a_token_that_is_revoked_later_is_noticed(account: Account, run: Run, loaded: Path) -> None:
    """Issue 15, row 15: that one kind refuses it does not hide that all do from then on."""
    calls = Tally()

    def answer(path: str, query: Query) -> Answer:
        is_refused = path.endswith("/test_environments") or calls.next() > 12
        return Answer(401) if is_refused else account(path, query)

    result = run(answer)
    assert result.exit_code == 3
    assert "the API refuses the token (HTTP 401)" in result.output
    assert calls.next() < 12 + 30
