"""`testio-loader copy`: copy all history to another kind of warehouse."""

import click

from testio_loader.commands.destination import configured_warehouse, destination_option
from testio_loader.commands.failure import CommandError, explained
from testio_loader.commands.termination import ends_when_told


@click.command()
@destination_option
@explained
@ends_when_told()
def copy(destination: str) -> None:
    """Copy the raw data from DuckDB to another warehouse.

    Copies every version of every record from the file in TESTIO_DUCKDB_PATH, which does not change.
    Nothing may have landed in the destination yet. Afterwards, load into the destination.

    Example: testio-loader copy --destination postgres
    """
    from testio_loader.commands.report import print_lines
    from testio_loader.land import copying
    from testio_loader.warehouses import CopyTarget, duckdb_file

    source, target = duckdb_file.configured(), configured_warehouse(destination)
    if not isinstance(target, CopyTarget):
        raise click.UsageError(
            f"{destination} is the source of the copy; choose another --destination"
        )
    if not source.exists():
        raise CommandError(f"{source.path} does not exist; set TESTIO_DUCKDB_PATH")
    with source.locked(), target.locked():
        rows = copying.copy(source, target)
    print_lines(
        [
            f"Copied {sum(rows.values()):,} rows of {len(rows)} tables to {target.name}.",
            f"From now on, load with: testio-loader load --destination {destination}",
        ]
    )
