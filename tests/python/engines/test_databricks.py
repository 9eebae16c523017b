"""What Databricks is given: there is none here to run it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import PROJECT

_DBT = Path(sys.prefix, "databricks", "bin", "dbt")
"""Its adapter wants older versions of what the others use, so it has an environment of its own."""


@pytest.mark.spark
def test_databricks_gets_the_sql_of_spark(tmp_path: Path) -> None:
    (tmp_path / "profiles.yml").write_text((PROJECT / "profiles.yml.example").read_text())
    offline = ["--no-populate-cache", "--no-introspect"]
    done = subprocess.run(
        [_DBT, "--quiet", "compile", "--target", "databricks", *offline],
        cwd=tmp_path,
        env={
            **os.environ,
            # Of a project that is right for a newer dbt, the older one only warns.
            "DBT_WARN_ERROR_OPTIONS": "{error: []}",
            "DATABRICKS_HOST": "none.invalid",
            "DATABRICKS_HTTP_PATH": "/sql/1.0/warehouses/none",
            "DATABRICKS_TOKEN": "none",
            "DBT_PROJECT_DIR": str(PROJECT),
            "DBT_PROFILES_DIR": str(tmp_path),
            "DBT_TARGET_PATH": str(tmp_path / "target"),
            "DBT_LOG_PATH": str(tmp_path / "logs"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    compiled = tmp_path / "target" / "compiled" / "testio" / "models"
    # Tests stand in a folder that is called like the file that declares them.
    models = {path.stem for path in compiled.rglob("*.sql") if path.parent.suffix != ".yml"}
    assert models == {path.stem for path in (PROJECT / "models").rglob("*.sql")}
    bugs = (compiled / "staging" / "stg_bugs.sql").read_text()
    assert "from_json(" in bugs
    assert "json_extract" not in bugs
