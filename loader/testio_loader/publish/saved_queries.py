"""Turns the saved queries of the semantic layer into SQL, with MetricFlow."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from testio_loader.warehouses.duckdb_sql import quoted

MANIFEST = Path("target", "semantic_manifest.json")
"""dbt writes this file, in the folder of its project."""
CUSTOMER = "test__customer"
"""Every saved query groups by this dimension."""


def find_manifest() -> Path | None:
    """Return dbt's semantic manifest, if it is here and MetricFlow is installed."""
    return MANIFEST if MANIFEST.exists() and find_spec("metricflow") else None


def statements(manifest: Path, database: str) -> dict[str, str]:
    """Return each saved query by name, as DuckDB SQL on the models in `database`."""
    from metricflow.engine.metricflow_engine import MetricFlowEngine, MetricFlowQueryRequest
    from metricflow.protocols.sql_client import SqlEngine
    from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer
    from metricflow_semantics.model.dbt_manifest_parser import (
        parse_manifest_from_dbt_generated_manifest as parse,
    )
    from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

    class DuckDb:
        """The attributes that MetricFlow needs if it only writes SQL."""

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
