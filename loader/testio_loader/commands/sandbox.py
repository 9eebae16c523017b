"""`testio-loader sandbox`: serve a stand-in of the API."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from testio_loader.commands.failure import CommandError
from testio_sandbox.faults import FAULTS

if TYPE_CHECKING:
    from testio_sandbox import Handler

_CUSTOMER_ID = 1


@click.command(context_settings={"allow_interspersed_args": False})
@click.option("--products", default=6, show_default=True, help="Products in the account.")
@click.option("--tests", default=60, show_default=True, help="Tests in the account.")
@click.option("--bugs", default=600, show_default=True, help="Bugs in the account.")
@click.option("--seed", default=1, show_default=True, help="Another seed, another account.")
@click.option("--latency", default=0.0, show_default=True, help="Seconds an answer takes.")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    type=click.Choice(list(FAULTS)),
    help="Misbehave in this way; several faults are put one around the other.",
)
@click.option("--port", default=0, help="Port to listen on (default: any that is free).")
@click.option("--unless-configured", is_flag=True, help="Only run COMMAND if a token is set.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def sandbox(
    products: int,
    tests: int,
    bugs: int,
    seed: int,
    latency: float,
    faults: tuple[str, ...],
    port: int,
    unless_configured: bool,
    command: tuple[str, ...],
) -> None:
    """Serve a stand-in of the API.

    It has synthetic data. With a COMMAND, serve for as long as it runs, with the loader configured
    for the sandbox in its environment, and end with its exit status. Without one, serve until
    interrupted.
    """
    if unless_configured:
        from testio_loader.customers import is_configured

        if is_configured():
            sys.exit(_status_of(command))
    from testio_sandbox import Account

    try:
        handler: Handler = Account(products=products, tests=tests, bugs=bugs, seed=seed)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    for fault in faults:
        handler = FAULTS[fault](handler)
    try:
        with _served(handler, port, latency) as url:
            environment = {
                "SOURCES__TESTIO__API_TOKEN": "sandbox",
                "SOURCES__TESTIO__CUSTOMER_ID": str(_CUSTOMER_ID),
                "SOURCES__TESTIO__BASE_URL": url,
            }
            click.echo(f"Sandbox with synthetic data at {url}", err=True)
            if command:
                sys.exit(_status_of(command, environment))
            for name, value in environment.items():
                click.echo(f"export {name}={value}")
            threading.Event().wait()
    except KeyboardInterrupt:
        click.echo("testio-loader: interrupted; the sandbox has stopped", err=True)
        sys.exit(128 + signal.SIGINT)


@contextlib.contextmanager
def _served(handler: "Handler", port: int, latency: float) -> Iterator[str]:
    from testio_sandbox import serve

    with contextlib.ExitStack() as serving:
        try:
            server = serving.enter_context(serve(handler, port=port, latency=latency))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or "it is no port"
            raise CommandError(
                f"port {port} cannot be listened on: {reason}; choose another --port, or leave it "
                "out"
            ) from error
        yield server.url


def _status_of(command: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
    """Run a command to its end and return its exit status, as a shell does."""
    # Ctrl-C goes to the command as well, which decides what it means. It inherits no handler.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        status = subprocess.call(command, env={**os.environ, **(environment or {})})
    except OSError as error:
        raise CommandError(f"{command[0]} cannot be run: {error.strerror}") from error
    finally:
        signal.signal(signal.SIGINT, before)
    return 128 - status if status < 0 else status
