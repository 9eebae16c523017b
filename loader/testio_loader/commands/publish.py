"""`testio-loader publish`: give readers what was built and tested."""

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
    help="The file to write, or the folder for Parquet files.",
)
@click.option(
    "--customer",
    "name",
    metavar="NAME",
    help="Publish this customer's rows only: a configured customer, or a customer_id.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["duckdb", "parquet"]),
    default="duckdb",
    show_default=True,
    help="One DuckDB file, or a Parquet file a table.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the report as JSON to stdout.")
@explained
@ends_when_told("what was published before is untouched; the next one removes what this one began")
def publish(to: Path, name: str | None, format_: str, as_json: bool) -> None:
    """Give readers a copy of what dbt has built.

    It has the marts, the audit models and the saved queries of the metrics, and is made only if the
    last `dbt build` has passed and has seen the newest load. It takes the place of the one before
    in one step: who reads that one keeps it, and neither a load nor a build waits for them. DuckDB
    1.x can open the file.
    """
    from testio_loader.commands.report import print_json
    from testio_loader.customers import id_of
    from testio_loader.publish import publishing, saved_queries
    from testio_loader.warehouses import duckdb_file

    customer_id = None if name is None else id_of(name)
    warehouse = duckdb_file.configured()
    if not warehouse.exists():
        raise CommandError(f"there is no {warehouse.path}; `testio-loader load` creates it")
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
                f"The saved queries of the metrics are not among them: there is no "
                f"{saved_queries.MANIFEST} here, or no dbt-metricflow; publish where dbt builds."
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
            f"To look at one in Python: import duckdb; print({query})",
        ]
    )
