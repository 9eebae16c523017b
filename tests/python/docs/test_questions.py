"""docs/questions.md: SQL, mf and the answer that is written there agree."""

import csv
import math
import re
import shlex
import signal
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from click.testing import CliRunner
from commands import PROJECT
from dbt_metricflow.cli.cli_configuration import CLIConfiguration
from dbt_metricflow.cli.main import cli
from semantic import built

from testio_sandbox import Account

pytestmark = pytest.mark.slow

PAGE = PROJECT / "docs" / "questions.md"
QUESTION = re.compile(
    r"## \d+\. (?P<title>[^\n]+)\n.*?```sql\n(?P<sql>.*?)\n```\n\n```\n(?P<mf>mf .*?)\n```\n\n"
    r"(?P<answer>\|.*?\|\n)(?=\n##|\Z)",
    re.DOTALL,
)


SANDBOX = Account(products=6, tests=60, bugs=600)
"""What `testio-loader sandbox` serves unless told otherwise."""


class Question(NamedTuple):
    title: str
    sql: str
    mf: str
    answer: str


QUESTIONS = [Question(*match) for match in QUESTION.findall(PAGE.read_text())]


@pytest.fixture(scope="module")
def metricflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CLIConfiguration]:
    with built(tmp_path_factory.mktemp("questions"), SANDBOX) as configuration:
        yield configuration


@pytest.fixture
def _signals() -> Iterator[None]:
    """What mf does on signals ends with it."""
    signals = (signal.SIGINT, signal.SIGTERM)
    handlers = [signal.getsignal(number) for number in signals]
    yield
    for number, handler in zip(signals, handlers, strict=True):
        signal.signal(number, handler)


def written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return f"{value:%Y-%m-%d}" if isinstance(value, date) else str(value)


def same(value: Any, text: str) -> bool:
    """Whether mf's text says the value."""
    if value is None or isinstance(value, str):
        return (value or "") == text
    if isinstance(value, date):
        return datetime.fromisoformat(text) == value
    return math.isclose(float(value), float(text))


def test_each_question_is_run() -> None:
    assert len(QUESTIONS) == PAGE.read_text().count("\n## ") > 20


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.title)
def test_no_order_is_left_to_chance(question: Question) -> None:
    (groups,) = re.findall(r"--group-by (\S+)", question.mf)
    (order,) = re.findall(r"--order (\S+)", question.mf)
    assert order.split(",")[-1] in groups.split(",")
    assert not re.search(r"order by .*\bdesc$", question.sql, re.MULTILINE)


def test_the_exposure_names_what_the_page_asks() -> None:
    exposures = yaml.safe_load((PROJECT / "models" / "exposures.yml").read_text())["exposures"]
    (page,) = (exposure for exposure in exposures if exposure["name"] == "questions")
    asked = re.findall(r"testio_marts\.(\w+)", PAGE.read_text())
    assert page["depends_on"] == [f"ref('{mart}')" for mart in sorted(set(asked))]


@pytest.mark.usefixtures("_signals")
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.title)
def test_a_question_has_one_answer(
    question: Question, metricflow: CLIConfiguration, tmp_path: Path
) -> None:
    by_sql = metricflow.sql_client.query(question.sql)
    answer = tmp_path / "answer.csv"
    command = shlex.split(question.mf.replace("\\\n", " "))[1:]
    done = CliRunner().invoke(cli, [*command, "--csv", str(answer), "--quiet"], obj=metricflow)
    assert done.exit_code == 0, done.output
    _, *by_mf = csv.reader(answer.read_text().splitlines())
    assert len(by_mf) == len(by_sql.rows) > 0
    for row, texts in zip(by_sql.rows, by_mf, strict=True):
        assert len(row) == len(texts)
        assert all(map(same, row, texts)), (row, texts)
    table = [by_sql.column_names, ["---"] * len(by_sql.column_names), *by_sql.rows]
    lines = ["| " + " | ".join(map(written, row)) + " |" for row in table]
    assert question.answer.splitlines() == lines, "\n".join(["the answer is:", *lines])
