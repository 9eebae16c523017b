"""`testio-loader sandbox`: serve a stand-in of the API."""

import contextlib
import os
import subprocess
import sys
import threading

import click

from loader.sandbox.faults import FAULTS

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
        from loader.customers import is_configured

        if is_configured():
            sys.exit(subprocess.call(command))
    from loader.sandbox import Account, Handler, serve

    handler: Handler = Account(products=products, tests=tests, bugs=bugs, seed=seed)
    for fault in faults:
        handler = FAULTS[fault](handler)
    with serve(handler, port=port, latency=latency) as server:
        environment = {
            "SOURCES__TESTIO__API_TOKEN": "sandbox",
            "SOURCES__TESTIO__CUSTOMER_ID": str(_CUSTOMER_ID),
            "SOURCES__TESTIO__BASE_URL": server.url,
        }
        click.echo(f"Sandbox with synthetic data at {server.url}", err=True)
        if command:
            sys.exit(subprocess.call(command, env={**os.environ, **environment}))
        for name, value in environment.items():
            click.echo(f"export {name}={value}")
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
