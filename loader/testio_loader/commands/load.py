"""`testio-loader load`: read accounts and land their records, or show what it would read."""

import contextlib
import gc
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from testio_loader.commands.destination import configured_warehouse, destination_option
from testio_loader.commands.failure import INCOMPLETE, CommandError, explained, one_line
from testio_loader.commands.process import keep_memory_small
from testio_loader.commands.termination import ends_when_told

if TYPE_CHECKING:
    from testio_loader.customers import Customer
    from testio_loader.land.pipeline import LoadReport, PlanReport, Selection
    from testio_loader.warehouses import Warehouse

Report = TypeVar("Report", "LoadReport", "PlanReport")
logger = logging.getLogger(__name__)

_ID = click.IntRange(0, 2**63 - 1)


def _folder(context: click.Context, parameter: click.Parameter, value: str | None) -> str:
    """Return the folder, if any; refuse an empty name, which an unset variable gives."""
    if value == "":
        raise click.BadParameter("the name is empty; name a folder, or leave the option out")
    return value or ""


@click.command()
@click.option("--customer", "names", multiple=True, metavar="NAME", help="Read only this customer.")
@click.option(
    "--product",
    "product_ids",
    multiple=True,
    type=_ID,
    metavar="ID",
    help="Read only this product.",
)
@click.option(
    "--test",
    "test_ids",
    multiple=True,
    type=_ID,
    metavar="ID",
    help="Refresh only this test and its records.",
)
@click.option("--full", "is_full", is_flag=True, help="Read all tests, including settled ones.")
@click.option(
    "--dry-run", "is_dry", is_flag=True, help="Show what a load would read; land nothing."
)
@click.option(
    "--record",
    metavar="DIR",
    callback=_folder,
    help="Also save the API's answers in this folder.",
)
@click.option(
    "--replay",
    metavar="DIR",
    callback=_folder,
    help="Land answers saved by --record, without API and token.",
)
@click.option(
    "--accept-deletions",
    is_flag=True,
    help="Treat all missing records as deleted, however many they are.",
)
@click.option(
    "--accept-account-change",
    is_flag=True,
    help="Land the account even if its products differ from the customer's earlier ones.",
)
@destination_option
@click.option("--json", "as_json", is_flag=True, help="Write the report as JSON to stdout.")
@explained
@ends_when_told("what has landed stays, and the next load lands or re-reads the rest")
def load(
    names: tuple[str, ...],
    product_ids: tuple[int, ...],
    test_ids: tuple[int, ...],
    is_full: bool,
    is_dry: bool,
    record: str,
    replay: str,
    accept_deletions: bool,
    accept_account_change: bool,
    destination: str,
    as_json: bool,
) -> None:
    """Read accounts and land new and changed records.

    --customer, --product and --test can be repeated. The exit status, also of --dry-run, is 0 if
    everything was read and landed, 1 if the load of a customer failed, and 3 if all loads landed
    but some scopes are incomplete. A dry run reads only the lists. It counts the details of all due
    tests, but a load lets some of these details wait.

    Example: testio-loader load --customer acme --dry-run
    """
    _refuse_contradictions(
        ("--product", product_ids, "--test", test_ids),
        ("--record", record, "--replay", replay),
        ("--dry-run", is_dry, "--record", record),
        ("--dry-run", is_dry, "--replay", replay),
    )
    from testio_loader import customers, settings
    from testio_loader.commands.report import print_load, print_plan
    from testio_loader.land import pipeline

    keep_memory_small()
    settings.refuse_wrong()
    selection = pipeline.Selection(
        product_ids,
        test_ids,
        is_full,
        record,
        replay,
        accept_deletions,
        accept_account_change,
    )
    readers = (
        customers.replayed_customers(Path(replay), names)
        if replay
        else customers.configured_customers(names)
    )
    warehouse = configured_warehouse(destination)
    if is_dry:
        parts, plan = _parts(warehouse, readers, selection), partial(pipeline.plan, warehouse)
        _read(parts, plan, print_plan, "a load may find more to read", as_json=as_json)
        return
    with warehouse.locked(), _imports_frozen():
        parts = _parts(warehouse, readers, selection)
        read = partial(_load_with_progress, warehouse, as_json=as_json)
        _read(parts, read, print_load, "load again to read the rest", as_json=as_json)


def _parts(
    warehouse: "Warehouse", customers: "Sequence[Customer]", selection: "Selection"
) -> "list[tuple[Customer, Selection]]":
    """Return what to read per customer; report the customers without any selected id."""
    from testio_loader.land import owners

    parts = owners.parts(warehouse, customers, selection)
    owning = {customer.name for customer, _ in parts}
    for customer in customers:
        if customer.name not in owning:
            click.echo(
                f"Customer {customer.name} has none of the selected ids; it is not read.", err=True
            )
    return parts


@contextlib.contextmanager
def _imports_frozen() -> Iterator[None]:
    """Exempt imported modules from garbage collection, as repeated scans of them take time."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _read(
    parts: "Iterable[tuple[Customer, Selection]]",
    read: "Callable[[Customer, Selection], Report]",
    show: "Callable[[Report], None]",
    advice: str,
    *,
    as_json: bool,
) -> None:
    """Load or plan each customer, and report; if one fails, the others continue."""
    from testio_loader.commands.report import print_json
    from testio_loader.errors import LoaderError

    reports: list[Report] = []
    failures: dict[str, str] = {}
    for customer, selection in parts:
        try:
            report = read(customer, selection)
        except LoaderError as failure:
            failures[customer.name] = one_line(failure)
            continue
        reports.append(report)
        if not as_json:
            show(report)
    if as_json:
        print_json({"customers": [asdict(report) for report in reports], "failures": failures})
    _end(failures, advice, [problem for report in reports for problem in report.problems])


def _load_with_progress(
    warehouse: "Warehouse", customer: "Customer", selection: "Selection", *, as_json: bool
) -> "LoadReport":
    from rich.console import Console

    from testio_loader.land import pipeline
    from testio_loader.land.progress import Progress
    from testio_loader.read.counts import Counts

    counts, console = Counts(), Console(stderr=True)
    is_shown = console.is_terminal and not as_json and not logger.isEnabledFor(logging.DEBUG)
    progress = Progress(customer.name, counts, console if is_shown else None)
    return pipeline.load(warehouse, customer, selection, counts=counts, progress=progress)


def _end(failures: Mapping[str, str], advice: str, problems: Sequence[str]) -> None:
    """Exit with an error if a customer failed, and with status 3 if a scope is incomplete."""
    from testio_loader.read.disappearances import is_disappearance

    if failures:
        # A problem of the warehouse is the same for all customers: report it once.
        raise CommandError("; ".join(dict.fromkeys(failures.values())))
    if problems:
        click.echo(f"The scopes named above are incomplete; {advice}.", err=True)
        if any(map(is_disappearance, problems)):
            click.echo(
                "If the missing records are really deleted, load with --accept-deletions.",
                err=True,
            )
        sys.exit(INCOMPLETE)


def _refuse_contradictions(*pairs: tuple[str, object, str, object]) -> None:
    for one, is_one, other, is_other in pairs:
        if is_one and is_other:
            raise click.UsageError(f"give {one} or {other}, not both")
