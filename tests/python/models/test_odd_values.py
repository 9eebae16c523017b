"""Blank names, values of an unknown type, custom reports of any shape: the build is green."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import pytest
import yaml
from commands import PROJECT
from conftest import Dbt, Loaded, Rows, Run

from testio_sandbox import Account, Answer, Handler, Query

pytestmark = pytest.mark.slow

Select = Callable[[str], Rows]

_LONG = "".join(map(chr, range(0x4E00, 0x4E00 + 10_000)))
"""A name of 30 kB that does not compress."""
_NAMES = ["unknown", '"unknown"', "Ada", "ada", "Ada ", " Ada", "Ada\u00a0", "7/Ada", "/", _LONG]
"""Names that are all different, however alike."""
_NOBODY = ["", "  ", "\u00a0\u2003\t\n", "\u200b\ufeff", None]
_NO_NAME = [5, True, [], ["Ada"], {"first": "Ada"}]
_UNFIT_BUGS: list[tuple[str, dict[str, Any]]] = [
    ("severity", {"severity": {"level": "high"}}),
    ("severity", {"severity": ["high"]}),
    ("severity", {"severity": 3}),
    ("status", {"status": True}),
    ("status", {"status": {"name": "accepted"}}),
    ("title", {"title": {"text": "Title"}}),
    ("test_environment_id", {"test_environment": "Staging"}),
    ("test_environment_id", {"test_environment": [1]}),
    ("steps", {"steps": {"1": "Open"}}),
    ("steps", {"steps": ["Open", {"step": "Click"}]}),
    ("tester_name", {"author": "Ada"}),
    *(("tester_name", {"author": {"name": name}}) for name in _NO_NAME),
]
_REPORT = [
    {"key": "Impact", "value": 3},
    {"key": "Impact", "value": "again"},
    {"key": "Where", "value": {"page": [1]}},
    {"value": "no key"},
    {"key": " ", "value": 1},
    "text",
    None,
]
_VERY_MANY = {f"key {number}": number for number in range(50_000)}


def _names_of_tests(select: Select) -> tuple[dict[int, set[str]], set[str]]:
    """Return the names that the bugs of each test tell, and those of all who did anything."""
    of_tests: dict[int, set[str]] = defaultdict(set)
    for test_id, payload in select("select test_id, payload from testio_raw.bugs"):
        author = json.loads(payload).get("author")
        name = author.get("name") if isinstance(author, dict) else None
        of_tests[test_id] |= {name} if _is_name(name) else set()
    executions = select("select payload from testio_raw.executions")
    results = select("select payload from testio_raw.test_case_results")
    others = [json.loads(payload).get("executed_by") for (payload,) in executions + results]
    return of_tests, set().union(*of_tests.values()) | set(filter(_is_name, others))


def _edited(account: Account, edits: dict[str, dict[int, dict[str, Any]]]) -> Handler:
    """Serve the account with other values in some records; an ellipsis leaves the field out."""

    def answer(path: str, query: Query) -> Answer:
        given = account(path, query)
        name = path.strip("/")
        if name not in edits or given.status != 200:
            return given
        body = json.loads(given.data())
        for record in body[name]:
            record.update(edits[name].get(int(record["id"]), {}))
            for key in [key for key, value in record.items() if value is ...]:
                del record[key]
        return Answer(200, body)

    return answer


def _ids(loaded: Loaded, endpoint: str) -> Iterator[int]:
    with duckdb.connect(str(loaded.path), read_only=True) as connection:
        rows = connection.sql(f"select id from testio_raw.{endpoint} order by id").fetchall()
    return iter([id_ for (id_,) in rows])


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip(" \u00a0\u2003\t\n\u200b\ufeff"))


def test_odd_names_and_types_keep_the_build_green(
    account: Account, undisturbed: Loaded, run: Run, dbt: Dbt, select: Select
) -> None:
    """Issue 15, rows 1, 4 and 5: a whole build over an account with all of them."""
    bugs = _ids(undisturbed, "bugs")
    executions = _ids(undisturbed, "executions")
    of_bugs: dict[int, dict[str, Any]] = {
        next(bugs): {"author": author}
        for author in (*({"name": name} for name in (*_NAMES, *_NOBODY)), None, ..., {})
    }
    unfit = [(next(bugs), column, fields) for column, fields in _UNFIT_BUGS]
    of_bugs |= {bug: fields for bug, _, fields in unfit}
    of_bugs[reported := next(bugs)] = {"report": {"content": {"data": _REPORT}}}
    # Each key once with the whole document beside it would be gigabytes.
    of_bugs[very_many := next(bugs)] = {"report": {"content": {"data": _VERY_MANY}}}
    of_bugs[next(bugs)] = _VERY_MANY
    of_bugs[next(bugs)] = {"mixed": [1, "text"], **_VERY_MANY}
    of_bugs[readable := next(bugs)] = {"title": 404, "steps": "[1] Open", "language": " "}
    of_executions: dict[int, dict[str, Any]] = {
        next(executions): {"executed_by": name} for name in ("", "  ", None, ...)
    }
    of_executions[odd := next(executions)] = {"executed_by": {"name": "Ada"}, "status": ["passed"]}
    edits = {"bugs": of_bugs, "user_story_version_executions": of_executions}

    result = run(_edited(account, edits))
    assert result.exit_code == 0, result.output
    dbt("build", "--exclude-resource-type", "unit_test")

    of_tests, everybody = _names_of_tests(select)
    counts = dict(select("select test_id, bug_author_count from testio_marts.test_quality"))
    assert counts
    assert counts == {test_id: len(of_tests[test_id]) for test_id in counts}
    assert {
        name
        for (name,) in select(
            "select tester_name from testio_marts.dim_testers where not is_placeholder"
        )
    } == everybody
    assert everybody.issuperset(_NAMES)
    models = yaml.safe_load((PROJECT / "models/semantic/_semantic_models.yml").read_text())
    (testers,) = (m for m in models["semantic_models"] if m["name"] == "testers")
    label = testers["dimensions"][0]["expr"]
    labels = [name for (name,) in select(f"select {label} from testio_marts.dim_testers")]
    assert (len(labels), labels.count("unknown")) == (len(everybody) + 1, 1)
    assert len(set(labels)) == len(labels)

    found = select(
        "select model_name, record_id, unfit_columns from testio_audit.audit_unfit_values"
    )
    assert sorted(found) == sorted(
        [
            *(("stg_bugs", bug, column) for bug, column, _ in unfit),
            ("stg_executions", odd, "status, tester_name"),
        ]
    )
    nulls = "select count(*) from testio_marts.fct_bugs where {} is null"
    assert select(nulls.format("severity")) == [(3,)]
    assert select(nulls.format("status")) == [(2,)]
    assert select(
        f"select title, steps, language from testio_marts.fct_bugs where bug_id = {readable}"
    ) == [("404", "[1] Open", None)]
    assert select(
        "select report_key, report_value from testio_marts.custom_reports "
        f"where bug_id = {reported} order by entry_number"
    ) == [
        ("Impact", "3"),
        ("Impact", "again"),
        ("Where", '{"page":[1]}'),
        ("data", '{"value":"no key"}'),
        ("data", '{"key":" ","value":1}'),
        ("data", '"text"'),
        ("data", None),
    ]
    (read,) = select(
        "select count(*), count(distinct report_key), sum(cast(report_value as integer)) "
        f"from testio_marts.custom_reports where bug_id = {very_many}"
    )
    assert read == (50_000, 50_000, sum(range(50_000)))
