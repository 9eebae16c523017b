"""What a person reads who has configured something wrong: the cause, the setting and the way out.

`check`, `load` and `load --dry-run` say the same, in one line, without a class name of a library.
"""

import logging
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import configured
from servers import certificate, scripted

from testio_loader.commands.cli import main
from testio_sandbox import Account, Answer, Handler, serve

_CLASS_NAME = re.compile(r"[A-Z][a-z]+(?:[A-Z][a-z]*)+|Error|Exception|object at|urllib3|ssl\.c")
_NAMES_ALLOWED = ("DuckDB", "OpenSSL")
ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{"products": []}'


def told(url: str, **environment: str) -> str:
    """Return what all three commands say of the API at a URL; it has to be the same."""
    lines = []
    for arguments in (["check"], ["load", "--dry-run"], ["load"]):
        done = CliRunner().invoke(main, arguments, env={**configured(url), **environment})
        assert done.exit_code == 1, done.output
        (line,) = (
            line
            for line in (done.stdout if arguments == ["check"] else done.stderr).splitlines()
            if "customer default: " in line
        )
        assert not [n for n in _CLASS_NAME.findall(line) if n not in _NAMES_ALLOWED], line
        assert "s3cr3t" not in done.output
        lines.append(re.sub(".*customer default: |nothing could be read from ", "", line))
    assert len(set(lines)) == 1, lines
    return lines[0]


@contextmanager
def speaking_tls(folder: Path, **options: str) -> Iterator[tuple[str, str]]:
    """Serve over TLS; give the URL and the file of the certificate."""
    file, context = certificate(folder, **options)
    with scripted(lambda connection: connection.sendall(ANSWER), context) as host:
        yield f"https://{host}/customer/v2", str(file)


def test_an_untrusted_certificate(tmp_path: Path) -> None:
    """Issue 15, messages: REQUESTS_CA_BUNDLE is named, and helps."""
    with speaking_tls(tmp_path) as (url, file):
        line = told(url)
        assert "the certificate of 127.0.0.1:" in line
        assert "is not accepted (self-signed certificate)" in line
        assert "set REQUESTS_CA_BUNDLE" in line
        environment = {**configured(url), "REQUESTS_CA_BUNDLE": file}
        done = CliRunner().invoke(main, ["check"], env=environment)
        assert "accepts the token; 0 products" in done.stdout


def test_an_expired_certificate(tmp_path: Path) -> None:
    """Issue 15, messages: who has to renew it, and the clock."""
    with speaking_tls(tmp_path, until="20210101000000Z") as (url, file):
        line = told(url, REQUESTS_CA_BUNDLE=file)
    assert "is not accepted (certificate has expired)" in line
    assert "its owner has to renew it" in line
    assert "REQUESTS_CA_BUNDLE" in line


def test_a_certificate_of_another_host(tmp_path: Path) -> None:
    """Issue 15, messages: base_url may name the wrong host."""
    with speaking_tls(tmp_path, name="DNS:api.example.test") as (url, file):
        line = told(url, REQUESTS_CA_BUNDLE=file)
    assert "127.0.0.1" in line
    assert "check base_url" in line


def test_a_certificate_that_is_not_accepted_is_tried_once(tmp_path: Path) -> None:
    """Issue 15, messages: nothing changes by asking again, so nobody waits."""
    tried = []
    _, context = certificate(tmp_path)
    context.sni_callback = lambda *_: tried.append(1)
    with scripted(lambda connection: None, context) as host:
        CliRunner().invoke(main, ["check"], env=configured(f"https://{host}"))
    assert len(tried) <= 1


def test_files_of_certificates_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("no certificate")
    assert "REQUESTS_CA_BUNDLE" in told("https://127.0.0.1:1", REQUESTS_CA_BUNDLE="/no/such.pem")
    with speaking_tls(tmp_path) as (url, _):
        line = told(url, REQUESTS_CA_BUNDLE=str(tmp_path / "empty.pem"))
    assert "REQUESTS_CA_BUNDLE" in line


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_a_login(scheme: str) -> None:
    """Issue 15, messages: HTTP 407."""

    def refuse(connection: socket.socket) -> None:
        connection.sendall(
            b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
        )

    with scripted(refuse) as proxy:
        url = f"{scheme}://api.example.test/customer/v2"
        line = told(url, **{f"{scheme}_proxy": f"http://me:s3cr3t@{proxy}", "no_proxy": ""})
    assert "requires a login (HTTP 407): put user and password into its URL" in line
    assert "HTTPS_PROXY" in line


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_not_there(scheme: str) -> None:
    """Issue 15, messages: it is the proxy that fails, not base_url."""
    url = f"{scheme}://api.example.test/customer/v2"
    line = told(url, **{f"{scheme}_proxy": "http://me:s3cr3t@127.0.0.1:1", "no_proxy": ""})
    assert "nothing listens at the proxy 127.0.0.1:1; check HTTPS_PROXY and HTTP_PROXY" in line


def test_a_proxy_that_is_none() -> None:
    line = told("https://api.example.test", https_proxy="nonsense://me:s3cr3t@", no_proxy="")
    assert "HTTPS_PROXY" in line


def html(status: int, **headers: str) -> Handler:
    page = b"<html><form>Log in</form></html>"
    return lambda path, query: Answer(status, page, {"Content-Type": "text/html", **headers})


def test_a_login_page() -> None:
    """Issue 15, messages: a page in HTML with status 200."""
    with serve(html(200)) as sandbox:
        line = told(sandbox.url)
    assert "an HTML page, such as a login page, not JSON: check base_url" in line
    assert "HTTPS_PROXY" in line


def test_a_redirection_to_a_login() -> None:
    """Issue 15, messages: where it leads to, without what is secret in it."""
    with serve(html(302, Location="https://login.example.test/sso?ticket=s3cr3t")) as sandbox:
        line = told(sandbox.url)
    assert "HTTP 302, a redirection to https://login.example.test/sso?[redacted]: check" in line
    assert "base_url (SOURCES__TESTIO__BASE_URL)" in line


@pytest.mark.parametrize(
    "url", ["api.test.io/customer/v2", "ftp://api.test.io", "https:", "http://a b", "http://[::1"]
)
def test_a_url_without_a_scheme(url: str) -> None:
    """Issue 15, messages: what a URL looks like."""
    line = told(url)
    assert f"base_url {url} is not a URL that begins with https://" in line
    assert "SOURCES__TESTIO__BASE_URL to one such as https://api.test.io/customer/v2" in line


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("https://api.tset.invalid/customer/v2", "the name of api.tset.invalid is not known"),
        ("http://127.0.0.1:1/customer/v2", "nothing listens at 127.0.0.1:1"),
    ],
)
def test_a_base_url_with_a_typo(url: str, cause: str) -> None:
    """Issue 15, messages: host not found, connection refused."""
    assert f"{cause}; check base_url (SOURCES__TESTIO__BASE_URL)" in told(url)


def test_a_base_url_at_which_the_api_is_not(account: Account) -> None:
    """Issue 15, messages: HTTP 404."""
    with serve(account) as sandbox:
        line = told(sandbox.url.replace("/v2", "/v3"))
    assert line.endswith("HTTP 404; check base_url (SOURCES__TESTIO__BASE_URL)")


def test_an_account_that_is_not_this_tokens() -> None:
    with serve(lambda path, query: Answer(403)) as sandbox:
        line = told(sandbox.url)
    assert line.endswith(
        "HTTP 403; check the token in api_token, and that it belongs to this customer"
    )


@pytest.mark.parametrize("arguments", ["check", "load --dry-run", "load"])
def test_a_token_that_travels_in_clear(
    arguments: str, account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    """Issue 15, messages: a warning, and the load goes on."""
    caplog.set_level(logging.WARNING, "testio_loader")
    with serve(account) as sandbox:
        root = sandbox.url.partition("/customer")[0]
        environment = configured("http://me:s3cr3t@api.example.test/customer/v2")
        environment |= {"http_proxy": root, "no_proxy": ""}
        done = CliRunner().invoke(main, arguments.split(), env=environment)
        assert done.exit_code == 0, done.output
        (warning,) = (r.getMessage() for r in caplog.records if r.levelno == logging.WARNING)
        assert "The token is sent unencrypted" in warning
        assert "SOURCES__TESTIO__BASE_URL" in warning
        assert "s3cr3t" not in warning
        caplog.clear()
        CliRunner().invoke(main, arguments.split(), env=configured(sandbox.url))
        assert not [r for r in caplog.records if r.levelno == logging.WARNING]


@pytest.mark.parametrize("arguments", ["check", "load --dry-run", "load"])
@pytest.mark.parametrize(
    ("value", "cause"),
    [("acme", "the customer_id 'acme' is not a whole number"), ("", "no customer")],
)
def test_a_customer_id_that_is_no_number(arguments: str, value: str, cause: str) -> None:
    """Issue 15, messages: `customer_id = "acme"`."""
    environment = configured("http://127.0.0.1:1") | {"SOURCES__TESTIO__CUSTOMER_ID": value}
    done = CliRunner().invoke(main, arguments.split(), env=environment)
    assert done.exit_code == (1 if arguments == "check" else 2)
    (line,) = (line for line in done.output.splitlines() if "number of your choice" in line)
    assert cause in line
    assert "set SOURCES__TESTIO__CUSTOMER_ID" in line
