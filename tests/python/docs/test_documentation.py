"""What dbt's site says is complete, said once and true; dbt-bouncer's rules hold."""

import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from commands import PROJECT
from conftest import Dbt

pytestmark = pytest.mark.slow


def test_the_site_is_complete_and_the_rules_hold(
    loaded: Path, dbt: Dbt, tmp_path: Path, monkeypatch: Any
) -> None:
    dbt("run")
    dbt("docs", "generate", "--static", "--no-compile")
    manifest = orjson.loads((tmp_path / "target" / "manifest.json").read_bytes())
    ours = [node for node in manifest["nodes"].values() if node["package_name"] == "testio"]
    models = {node["name"]: node for node in ours if node["resource_type"] == "model"}

    page = (tmp_path / "target" / "static_index.html").read_text()
    for mart in (PROJECT / "models" / "marts").glob("*.sql"):
        # Once as a model, once as the table that was found.
        assert page.count(f'"unique_id": "model.testio.{mart.stem}"') == 2, mart.stem
    assert "Where to start" in page

    shutil.copy(PROJECT / "dbt-bouncer.yml", tmp_path)
    monkeypatch.chdir(tmp_path)
    run("dbt-bouncer", "run", "--show-all-failures")
    all_of_it = ["--run-artifacts-dir", "target", "--project-dir", str(PROJECT)]
    all_of_it += ["--cov-fail-under", "1"]
    # Base models have the columns of their sources, which are described there.
    not_base = ["--model-path-exclusion-filter", "models/staging/base/"]
    run("dbt-coverage", "compute", "doc", *all_of_it, *not_base)
    marts = ["--model-path-filter", "models/marts"]
    run("dbt-coverage", "compute", "unit-test", *all_of_it, *marts)

    public = {name for name, model in models.items() if model["config"]["access"] == "public"}
    assert set(tables_in_the_readme()) <= public

    for test in ours:
        if test["resource_type"] == "test" and "test_metadata" not in test:
            assert "Returns one row per " in test["description"], f"{test['name']}: what is a row?"

    macros = [m for m in manifest["macros"].values() if m["package_name"] == "testio"]
    called = [m for m in macros if "__" not in m["name"]]
    assert [m["name"] for m in called if not m["description"]] == []
    arguments = [argument for m in called for argument in m["arguments"]]
    assert [a["name"] for a in arguments if not a["description"]] == []

    # constraints_hold is disabled where the engine enforces them, as here.
    tested = [n for found in manifest["disabled"].values() for n in found if "test_metadata" in n]
    for model in models.values():
        if model["constraints"] or any(c["constraints"] for c in model["columns"].values()):
            by_name = [n["test_metadata"]["name"] for n in tested if model["name"] in n["name"]]
            assert "constraints_hold" in by_name, model["name"]

    # dbt names a table after each unit test, and PostgreSQL takes no longer names.
    assert [n["name"] for n in manifest["unit_tests"].values() if len(n["name"]) > 63] == []

    readers = {(name, table) for name in models for _, table in models[name]["sources"]}
    tables = {source["name"] for source in manifest["sources"].values()}
    assert readers == {(f"base_{table.removeprefix('_dlt_')}", table) for table in tables}

    summary = manifest["exposures"]["exposure.testio.summary"]["depends_on"]["nodes"]
    code = (PROJECT / "macros" / "operations" / "summary.sql").read_text()
    assert {node.split(".")[-1] for node in summary} == set(re.findall(r"'(\w+)'", code)) & set(
        models
    )


def run(command: str, *arguments: str) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name(command), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def tables_in_the_readme() -> list[str]:
    rows = re.findall(r"^\| (`testio_.*?) \|", (PROJECT / "README.md").read_text(), re.M)
    return [name.split(".")[-1] for row in rows for name in re.findall(r"`([\w.]+)`", row)]


def test_a_description_that_several_columns_share_stands_once() -> None:
    blocks = dict(
        block
        for file in (PROJECT / "models").rglob("_docs.md")
        for block in re.findall(r"{% docs (\w+) %}\n(.*?)\n{% enddocs %}", file.read_text(), re.S)
    )
    assert len(set(blocks.values())) == len(blocks)
    files = [yaml.safe_load(file.read_text()) for file in (PROJECT / "models").rglob("*.yml")]
    models = [model for file in files for model in file.get("models", ())]
    written = [column["description"] for model in models for column in model["columns"]]
    often = Counter(text for text in written if "doc(" not in text)
    assert {text: times for text, times in often.items() if times > 1} == {}
    assert [text for text in often if text in blocks.values()] == []
    sources = [
        column["description"]
        for file in files
        for source in file.get("sources", ())
        for table in source["tables"]
        for column in table["columns"]
    ]
    used = set(re.findall(r"doc\('(\w+)'\)", "\n".join(written + sources)))
    assert blocks.keys() - used == set()
