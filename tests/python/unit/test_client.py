"""How the client gets to the API."""

import pytest

from testio_loader.api.base import RefusedError
from testio_loader.api.client import Client
from testio_loader.errors import ConfigurationError
from testio_sandbox import TOKEN, Account, Answer, serve


def test_a_proxy_that_the_environment_names_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(Account(products=2, tests=12, bugs=60)) as sandbox:
        monkeypatch.setenv("http_proxy", sandbox.url.partition("/customer")[0])
        monkeypatch.setenv("no_proxy", "")
        client = Client("http://api.example.test/customer/v2", TOKEN)
        assert len(client.get("/products", ["products"]).value) == 2


def test_a_redirection_is_told_and_not_followed_with_the_token() -> None:
    with serve(Account(products=2, tests=12, bugs=60)) as sandbox:
        moved = Answer(301, headers={"Location": f"{sandbox.url}/products"})
        with serve(lambda path, query: moved) as old, pytest.raises(RefusedError, match="HTTP 301"):
            Client(old.url, TOKEN).get("/products", ["products"])
        assert not sandbox.requests


@pytest.mark.parametrize("is_proxied", [False, True])
def test_an_api_can_be_at_the_root_of_a_host(
    monkeypatch: pytest.MonkeyPatch, is_proxied: bool
) -> None:
    with serve(Account(products=2, tests=12, bugs=60)) as sandbox:
        root = sandbox.url.partition("/customer")[0]
        if is_proxied:
            monkeypatch.setenv("http_proxy", root)
            monkeypatch.setenv("no_proxy", "")
            root = "http://api.example.test"
        client = Client(root, TOKEN)
        assert len(client.get("/customer/v2/products", ["products"]).value) == 2


def test_certificates_that_are_not_there_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/there/is/none.pem")
    with pytest.raises(ConfigurationError, match=r"/there/is/none\.pem"):
        Client("https://127.0.0.1:1/customer/v2", TOKEN)


def test_no_password_of_a_url_is_told() -> None:
    with pytest.raises(ConfigurationError) as told:
        Client("http://me:s3cr3t@", TOKEN)
    assert "s3cr3t" not in str(told.value)
