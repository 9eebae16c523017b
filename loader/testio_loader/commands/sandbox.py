"""`testio-loader sandbox`: serve a stand-in for the API."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from testio_loader.commands.destination import destination_option
from testio_loader.commands.failure import CommandError
from testio_sandbox.faults import FAULTS

if TYPE_CHECKING:
    from testio_sandbox import Handler

_CUSTOMER_ID = 1


@click.command(context_settings={"allow_interspersed_args": False})
@click.option("--products", default=6, show_default=True, help="Products in the account.")
@click.option("--tests", default=60, show_default=True, help="Tests in the account.")
@click.option("--bugs", default=600, show_default=True, help="Bugs in the account.")
@click.option("--seed", default=1, show_default=True, help="Another seed gives another account.")
@click.option("--latency", default=0.0, show_default=True, help="Delay of each answer in seconds.")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    type=click.Choice(list(FAULTS)),
    help="Fault to simulate. Can be repeated: each fault wraps the one before.",
)
@click.option(
    "--days",
    type=click.IntRange(min=1),
    help="Play this many days up to today: load on each day, into a warehouse without loads.",
)
@click.option("--port", default=0, help="Port to listen on (default: any free port).")
@click.option("--unless-configured", is_flag=True, help="If a token is set, run only COMMAND.")
@destination_option
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def sandbox(
    products: int,
    tests: int,
    bugs: int,
    seed: int,
    latency: float,
    faults: tuple[str, ...],
    days: int | None,
    port: int,
    unless_configured: bool,
    destination: str,
    command: tuple[str, ...],
) -> None:
    """Serve a stand-in for the API, with synthetic data.

    With a COMMAND, serve while it runs, and exit with its status. Its environment configures the
    loader for the sandbox. Without a COMMAND, serve until interrupted.

    With --days, load the account day by day as it changes: tests begin and end, bugs are reported,
    decided, turned round and deleted. Then run the COMMAND, if any, and end.

    \b
    Example: testio-loader sandbox testio-loader load
    Example: TESTIO_DUCKDB_PATH=demo.duckdb testio-loader sandbox --days 30 dbt build
    """
    if unless_configured:
        from testio_loader.customers import is_configured

        if is_configured():
            if not command:
                raise click.UsageError("--unless-configured needs a COMMAND: a token is set")
            sys.exit(_status_of(command))
    from testio_sandbox import Account

    try:
        account = Account(products, tests, bugs, seed, **_dates(days))
        handler: Handler = account
        for fault in faults:
            handler = FAULTS[fault](handler)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    try:
        with _served(handler, port, latency) as url:
            environment = {
                "SOURCES__TESTIO__API_TOKEN": "sandbox",
                "SOURCES__TESTIO__CUSTOMER_ID": str(_CUSTOMER_ID),
                "SOURCES__TESTIO__BASE_URL": url,
            }
            click.echo(f"Sandbox with synthetic data at {url}", err=True)
            if days:
                from testio_loader.commands.sandbox_days import play

                play(
                    account=account,
                    url=url,
                    customer_id=_CUSTOMER_ID,
                    days=days,
                    destination=destination,
                )
            if command:
                sys.exit(_status_of(command, environment))
            if days:
                return
            for name, value in environment.items():
                click.echo(f"export {name}={value}")
            threading.Event().wait()
    except KeyboardInterrupt:
        click.echo("testio-loader: interrupted; the sandbox has stopped", err=True)
        sys.exit(128 + signal.SIGINT)


def _dates(days: int | None) -> dict[str, Any]:
    """Return the first and last day of an account: with days to play, it ends today."""
    return {"today": datetime.now(UTC).date(), "days": days - 1} if days else {}


@contextlib.contextmanager
def _served(handler: "Handler", port: int, latency: float) -> Iterator[str]:
    from testio_sandbox import serve

    with contextlib.ExitStack() as serving:
        try:
            server = serving.enter_context(serve(handler, port=port, latency=latency))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or "it is not a port number"
            raise CommandError(
                f"cannot listen on port {port}: {reason}; choose another --port, or leave it out"
            ) from error
        yield server.url


def _status_of(command: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
    """Run a command and return its exit status, as a shell does."""
    # Ctrl-C also reaches the command, which reacts to it. It does not inherit this handler.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        status = subprocess.call(command, env={**os.environ, **(environment or {})})
    except OSError as error:
        raise CommandError(f"cannot run {command[0]}: {error.strerror}") from error
    finally:
        signal.signal(signal.SIGINT, before)
    return 128 - status if status < 0 else status
