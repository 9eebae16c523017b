"""`testio-loader load`: read accounts and land them, or say what would be read."""

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
    """Return the folder, or nothing if none was asked for; an unset variable names none."""
    if value == "":
        raise click.BadParameter("it is empty; name a folder, or leave the option out")
    return value or ""


@click.command()
@click.option("--customer", "names", multiple=True, metavar="NAME", help="Read this customer only.")
@click.option(
    "--product",
    "product_ids",
    multiple=True,
    type=_ID,
    metavar="ID",
    help="Read this product only.",
)
@click.option(
    "--test",
    "test_ids",
    multiple=True,
    type=_ID,
    metavar="ID",
    help="Refresh this test and what belongs to it only.",
)
@click.option("--full", "is_full", is_flag=True, help="Read all tests, the settled ones as well.")
@click.option("--dry-run", "is_dry", is_flag=True, help="Say what would be read; land nothing.")
@click.option(
    "--record",
    metavar="DIR",
    callback=_folder,
    help="Keep the API's answers in this folder as well.",
)
@click.option(
    "--replay",
    metavar="DIR",
    callback=_folder,
    help="Land answers kept by --record; no API, no token.",
)
@click.option(
    "--accept-deletions",
    is_flag=True,
    help="Believe that all records that are missing are deleted, however many they are.",
)
@click.option(
    "--accept-account-change",
    is_flag=True,
    help="Land the account even if its products are not those that the customer had.",
)
@destination_option
@click.option("--json", "as_json", is_flag=True, help="Write the report as JSON to stdout.")
@explained
@ends_when_told("what has landed stays, and the next load lands or reads again what has not")
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
    """Read accounts and land what is new or changed.

    --customer, --product and --test can be repeated. The exit status is 0 if all was read and
    landed, 1 if a customer's load failed, and 3 if all landed but some scope is incomplete.
    --dry-run ends alike.
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
        _read(parts, plan, print_plan, "there may be more to read behind it", as_json=as_json)
        return
    with warehouse.locked(), _imports_left_alone():
        parts = _parts(warehouse, readers, selection)
        watched = partial(_watched, warehouse, as_json=as_json)
        _read(parts, watched, print_load, "load again to read it", as_json=as_json)


def _parts(
    warehouse: "Warehouse", customers: "Sequence[Customer]", selection: "Selection"
) -> "list[tuple[Customer, Selection]]":
    """Return what to read of which customer; say who has nothing of what was asked for."""
    from testio_loader.land import owners

    parts = owners.parts(warehouse, customers, selection)
    owning = {customer.name for customer, _ in parts}
    for customer in customers:
        if customer.name not in owning:
            click.echo(f"Customer {customer.name} has none of these; it is not read.", err=True)
    return parts


@contextlib.contextmanager
def _imports_left_alone() -> Iterator[None]:
    """Spare the collector what was imported; to look through it again and again takes time."""
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
    """Load each customer, or plan it, and report; one that fails does not stop the others."""
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


def _watched(
    warehouse: "Warehouse", customer: "Customer", selection: "Selection", *, as_json: bool
) -> "LoadReport":
    from rich.console import Console

    from testio_loader.land import pipeline
    from testio_loader.land.progress import Progress
    from testio_loader.read.counts import Counts

    counts, console = Counts(), Console(stderr=True)
    is_watched = console.is_terminal and not as_json and not logger.isEnabledFor(logging.DEBUG)
    progress = Progress(customer.name, counts, console if is_watched else None)
    return pipeline.load(warehouse, customer, selection, counts=counts, progress=progress)


def _end(failures: Mapping[str, str], advice: str, problems: Sequence[str]) -> None:
    """End with the exit status that says whether a customer failed, or something is incomplete."""
    from testio_loader.read.deletions import is_disappearance

    if failures:
        # What is wrong with the warehouse is the same for all, and told once.
        raise CommandError("; ".join(dict.fromkeys(failures.values())))
    if problems:
        click.echo(f"Incomplete: what is missing is named above; {advice}.", err=True)
        if any(map(is_disappearance, problems)):
            click.echo(
                "If the records that are missing are really deleted, load with --accept-deletions.",
                err=True,
            )
        sys.exit(INCOMPLETE)


def _refuse_contradictions(*pairs: tuple[str, object, str, object]) -> None:
    for one, is_one, other, is_other in pairs:
        if is_one and is_other:
            raise click.UsageError(f"give {one} or {other}, not both")
