"""The saved queries of the semantic layer, as SQL; MetricFlow writes it."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from testio_loader.warehouses.duckdb_sql import quoted

MANIFEST = Path("target", "semantic_manifest.json")
"""Written by dbt, in the folder of its project."""
CUSTOMER = "test__customer"
"""The dimension by which each saved query is grouped."""


def find_manifest() -> Path | None:
    """Return what dbt has written of the semantic layer, if it is here and MetricFlow as well."""
    return MANIFEST if MANIFEST.exists() and find_spec("metricflow") else None


def statements(manifest: Path, database: str) -> dict[str, str]:
    """Return a query in DuckDB's SQL for each saved query; its models are in `database`."""
    from metricflow.engine.metricflow_engine import MetricFlowEngine, MetricFlowQueryRequest
    from metricflow.protocols.sql_client import SqlEngine
    from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer
    from metricflow_semantics.model.dbt_manifest_parser import (
        parse_manifest_from_dbt_generated_manifest as parse,
    )
    from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

    class DuckDb:
        """All that MetricFlow asks of a client that only writes SQL."""

        sql_engine_type = SqlEngine.DUCKDB
        sql_plan_renderer = DuckDbSqlPlanRenderer()

    client: Any = DuckDb()
    content = orjson.loads(manifest.read_bytes())
    spines = content["project_configuration"]["time_spines"]
    for element in (*content["semantic_models"], *spines):
        relation = element["node_relation"]
        relation["relation_name"] = quoted(database, relation["schema_name"], relation["alias"])
    lookup = SemanticManifestLookup(parse(orjson.dumps(content).decode()))
    engine = MetricFlowEngine(semantic_manifest_lookup=lookup, sql_client=client)
    return {
        query.name: engine.explain(
            MetricFlowQueryRequest.create(saved_query_name=query.name)
        ).sql_statement.sql
        for query in engine.list_saved_queries()
    }
