"""The floor of dbt's build: the compiled SQL of the marts and all they need, in one connection."""

import time
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb
import orjson
import yaml

PROFILES = Path(__file__).parents[1] / "profiles.yml.example"


def run_floor(warehouse: Path, manifest: Path) -> float:
    """Run the compiled SQL of a build, with dbt's settings, on raw; return the seconds.

    The SQL names the database, so the file must have the same name as that of the build.
    """
    settings = yaml.safe_load(PROFILES.read_text())["testio"]["outputs"]["dev"]["settings"]
    models = _needed(orjson.loads(manifest.read_bytes())["nodes"])
    with duckdb.connect(str(warehouse)) as connection:
        for name, value in {**settings, "enable_progress_bar": False}.items():
            connection.execute(f"set {name} = '{value}'")
        for schema in {model["schema"] for model in models}:
            connection.execute(f"create schema if not exists {schema}")
        started = time.monotonic()
        for model in models:
            kind = "view" if model["config"]["materialized"] == "view" else "table"
            connection.execute(
                f"create {kind} {model['relation_name']} as {model['compiled_code']}"
            )
        return time.monotonic() - started


def _needed(nodes: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the marts and the models that they need, each after the models that it needs."""
    models = {id_: node for id_, node in nodes.items() if node["resource_type"] == "model"}
    parents = {id_: node["depends_on"]["nodes"] for id_, node in models.items()}
    order = list(TopologicalSorter(parents).static_order())
    needed = {id_ for id_, model in models.items() if model["fqn"][1] == "marts"}
    for id_ in reversed(order):
        if id_ in needed:
            needed.update(parents.get(id_, ()))
    return [
        models[id_]
        for id_ in order
        if id_ in needed & models.keys()
        # dbt has written ephemeral models into the SQL of those that need them.
        and models[id_]["config"]["materialized"] != "ephemeral"
    ]
