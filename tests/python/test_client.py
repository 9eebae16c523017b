"""How the client gets to the API."""

import pytest

from loader.api import Refused
from loader.client import Client
from loader.sandbox import TOKEN, Account, Answer, serve


def test_a_proxy_that_the_environment_names_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(Account(products=2, tests=12, bugs=60)) as sandbox:
        monkeypatch.setenv("http_proxy", sandbox.url.partition("/customer")[0])
        monkeypatch.setenv("no_proxy", "")
        client = Client("http://api.example.test/customer/v2", TOKEN)
        assert len(client.get("/products", ["products"]).value) == 2


def test_a_redirection_is_told_and_not_followed_with_the_token() -> None:
    with serve(Account(products=2, tests=12, bugs=60)) as sandbox:
        moved = Answer(301, headers={"Location": f"{sandbox.url}/products"})
        with serve(lambda path, query: moved) as old, pytest.raises(Refused, match="HTTP 301"):
            Client(old.url, TOKEN).get("/products", ["products"])
        assert not sandbox.requests
