"""`testio-loader publish`: copy built and tested tables for readers."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from testio_loader.commands.failure import CommandError, explained
from testio_loader.commands.termination import ends_when_told

if TYPE_CHECKING:
    from testio_loader.publish.publishing import Publication


@click.command()
@click.option(
    "--to",
    required=True,
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="File to write, or folder for Parquet files.",
)
@click.option(
    "--customer",
    "name",
    metavar="NAME",
    help="Publish only this customer's rows: a configured name, or a customer_id.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["duckdb", "parquet"]),
    default="duckdb",
    show_default=True,
    help="One DuckDB file, or one Parquet file per table.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the report as JSON to stdout.")
@explained
@ends_when_told("what was published before is untouched; the next publish removes unfinished files")
def publish(to: Path, name: str | None, format_: str, as_json: bool) -> None:
    """Copy what dbt has built, for readers.

    The copy has the marts, the audit models and the saved queries of the metrics. It is made only
    if the last `dbt build` passed and has seen the newest load. It replaces the previous copy in
    one step: current readers keep the previous copy, and loads and builds never wait for readers.
    DuckDB 1.x can open the file.

    Example: testio-loader publish --to published/testio.duckdb
    """
    from testio_loader.commands.report import print_json
    from testio_loader.customers import id_of
    from testio_loader.publish import publishing, saved_queries
    from testio_loader.warehouses import duckdb_file

    customer_id = None if name is None else id_of(name)
    warehouse = duckdb_file.configured()
    if not warehouse.exists():
        raise CommandError(f"{warehouse.path} does not exist; `testio-loader load` creates it")
    write = publishing.publish_parquet if format_ == "parquet" else publishing.publish
    with warehouse.locked_by_reader():
        manifest = saved_queries.find_manifest()
        publication = write(warehouse.path, to, customer_id=customer_id, manifest=manifest)
    if as_json:
        print_json({"path": str(to.absolute()), "customer_id": customer_id, **asdict(publication)})
    else:
        _print(to, publication)
        if not manifest:
            click.echo(
                f"The saved queries of the metrics are not included: {saved_queries.MANIFEST} or "
                f"dbt-metricflow is missing here; publish where dbt builds."
            )


def _print(to: Path, publication: "Publication") -> None:
    from testio_loader.commands.report import print_lines

    path, tables = to.absolute(), publication.tables
    query = (
        f"duckdb.sql(\"from '{path}/marts/fct_bugs.parquet'\")"
        if to.is_dir()
        else f"duckdb.connect('{path}', read_only=True).sql('from marts.fct_bugs')"
    )
    print_lines(
        [
            f"Published {len(tables)} tables with {sum(table.rows for table in tables):,} rows, as "
            f"built at {publication.built_at:%Y-%m-%d %H:%M} (UTC): {path}",
            f"To read a table in Python: import duckdb; print({query})",
        ]
    )
