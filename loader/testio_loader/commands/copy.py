"""`testio-loader copy`: move to another kind of warehouse, with all history."""

import click

from testio_loader.commands.destination import configured_warehouse, destination_option
from testio_loader.commands.failure import CommandError, explained
from testio_loader.commands.termination import ends_when_told


@click.command()
@destination_option
@explained
@ends_when_told()
def copy(destination: str) -> None:
    """Copy what has landed in DuckDB to another warehouse.

    Every version of every record goes from the file that TESTIO_DUCKDB_PATH names to the
    destination, where nothing may have landed yet. Then load there; the file stays as it is.
    """
    from testio_loader.commands.report import print_lines
    from testio_loader.land import copying
    from testio_loader.warehouses import CopyTarget, duckdb_file

    source, target = duckdb_file.configured(), configured_warehouse(destination)
    if not isinstance(target, CopyTarget):
        raise click.UsageError(f"give a --destination to copy to, other than {destination}")
    if not source.exists():
        raise CommandError(f"there is no {source.path}")
    with source.locked(), target.locked():
        rows = copying.copy(source, target)
    print_lines(
        [
            f"Copied {sum(rows.values()):,} rows of {len(rows)} tables to {target.name}.",
            f"From now on: testio-loader load --destination {destination}",
        ]
    )
