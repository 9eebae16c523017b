"""Boards: what they read is there, what they show is what the marts say, and nothing calls away."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import orjson
import pytest
import yaml
from commands import PROJECT, run_dbt
from conftest import SETTINGS
from playwright.sync_api import Browser, Page, expect, sync_playwright

from testio_loader.customers import Customer
from testio_loader.land import pipeline
from testio_loader.warehouses.duckdb_file import DuckDbFile
from testio_sandbox import TOKEN, Account, serve
from testio_sandbox.changes import a_day

pytestmark = pytest.mark.slow

CHARTS = PROJECT / "charts"
BOARDS = sorted(file.stem for file in CHARTS.glob("*.yml") if file.stem != "meta")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
STARTING = 60
"""Seconds that a server may take to start on a busy machine."""


class Folder(NamedTuple):
    """A project with a built warehouse, as people have it after `make run`."""

    path: Path

    def dct(self, *arguments: str, status: int = 0) -> str:
        done = subprocess.run(
            [Path(sys.executable).with_name("dct"), *arguments],
            cwd=self.path,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def environment(self) -> dict[str, str]:
        return {**os.environ, "TESTIO_DUCKDB_PATH": str(self.path / "warehouse.duckdb")}

    def one(self, sql: str) -> Any:
        with duckdb.connect(str(self.path / "warehouse.duckdb"), read_only=True) as connection:
            row = connection.execute(sql).fetchone()
        assert row is not None
        return row[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    folder = Folder(tmp_path_factory.mktemp("boards"))
    warehouse = folder.path / "warehouse.duckdb"
    # A day lies between two loads, so that there is triage to see.
    account = Account(products=3, tests=24, bugs=240)
    for product in account("/products", {}).json()["products"]:
        # Sections have features of the same name, or of none.
        features = account(f"/products/{product['id']}/features", {}).json().get("features", ())
        for at, feature in enumerate(features):
            account.change("features", feature["id"], title=("Log-in", None)[at % 2])
    with pytest.MonkeyPatch.context() as environment, serve(account) as sandbox:
        for name, value in SETTINGS.items():
            environment.setenv(name, value)
        customer = Customer("acme", 1, TOKEN, sandbox.url)
        pipeline.load(DuckDbFile(warehouse), customer)
        a_day(account, 0)
        pipeline.load(DuckDbFile(warehouse), customer)
    run_dbt(warehouse, "run")
    shutil.copytree(CHARTS, folder.path / "charts")
    for name in ("dbt_charts.yml", "dbt_project.yml"):
        shutil.copy(PROJECT / name, folder.path)
    return folder


def test_each_column_that_a_board_reads_is_there(folder: Folder) -> None:
    results = orjson.loads(folder.dct("validate", "--warehouse", "--json", "charts/"))
    assert {Path(result["path"]).stem for result in results} == set(BOARDS)
    assert [result for result in results if not result["success"]] == []


def test_features_of_one_name_are_told_apart(folder: Folder) -> None:
    folder.dct("render", "charts/feature_fragility.yml", "--output", "names/{stem}.svg")
    drawn = (folder.path / "names" / "feature_fragility.svg").read_text()
    names = set(re.findall(r"(?:Log-in|unknown) #[0-9]+ · [^<>\"]+", drawn))
    assert len(names) > 1


def test_quarters_run_from_left_to_right(folder: Folder) -> None:
    boards = [f"charts/{board}.yml" for board in BOARDS]
    folder.dct("render", *boards, "--output", "quarters/{stem}.svg")
    label = re.compile(r"translate\(([\d.]+),[^>]*>(20\d\d Q\d)</text>")
    orders = {
        board: [quarter for _, quarter in sorted(drawn, key=lambda at: float(at[0]))]
        for board in BOARDS
        if (drawn := label.findall((folder.path / f"quarters/{board}.svg").read_text()))
    }
    assert "feature_fragility" in orders
    for board, quarters in orders.items():
        assert quarters == sorted(quarters), board


def test_each_filter_works_on_each_board(folder: Folder) -> None:
    bug = (
        "select {} from testio_marts.fct_bugs inner join testio_marts.tester_quality "
        "using (customer_id, tester_name) where severity = 'critical' order by bug_id limit 1"
    )
    product = folder.one(
        "select product_name from testio_marts.dim_products order by product_id limit 1"
    )
    values = {
        "product": product,
        "period": "Latest quarter",
        "severity": "critical",
        "platform": "iOS",
        "tester": folder.one(bug.format("tester_name")),
    }
    filters = [f"--var={name}={value}" for name, value in values.items()]
    output = "filtered/{stem}.html"
    boards = [f"charts/{board}.yml" for board in BOARDS]
    folder.dct("render", *boards, "--format", "html", "--output", output, *filters)
    for board in BOARDS:
        page = (folder.path / "filtered" / f"{board}.html").read_text()
        addresses = set(re.findall(r"https?://[\w.-]+", page))
        # The first two name dialects, the third is a link to the maker.
        assert addresses <= {"http://www.w3.org", "https://dbtcharts.com"}


def test_what_is_empty_says_why(folder: Folder) -> None:
    boards = [f"charts/{board}.yml" for board in BOARDS]
    nothing = ("--var=period=no such", "--var=severity=no such")
    folder.dct("render", *boards, "--output", "empty/{stem}.svg", *nothing)
    for board, says in (
        ("quality_overview", "There is nothing to compare with"),
        ("quality_overview", "No bug is left by these filters"),
        ("feature_fragility", "none can be called fragile"),
        ("triage", "Nothing awaits a decision"),
        ("triage", "No triage has been observed yet"),
        ("triage", "No bug was rejected"),
        ("coverage", "No executed test of this product and period"),
        ("testers_and_platforms", "No bug is left by these filters"),
        ("data_health", "Everything was read to its end"),
    ):
        drawn = (folder.path / "empty" / f"{board}.svg").read_text()
        assert says in " ".join(re.findall(r">([^<>]+)<", drawn)), board


def test_a_period_that_is_not_over_is_compared_with_nothing(folder: Folder, tmp_path: Path) -> None:
    warehouse = folder.path / "warehouse.duckdb"
    shutil.copy(warehouse, tmp_path)
    for is_over in (True, False):
        with duckdb.connect(str(warehouse)) as connection:
            connection.execute(
                f"update testio_marts.product_quality set is_period_over = {is_over}"
            )
        output = f"over_{is_over}/{{stem}}.svg"
        folder.dct("render", "charts/quality_overview.yml", "--output", output)
        drawn = (folder.path / f"over_{is_over}" / "quality_overview.svg").read_text()
        assert ("The chosen period is not over" in drawn) is not is_over
    shutil.copy(tmp_path / warehouse.name, warehouse)


def test_each_board_is_an_exposure_with_all_that_it_reads() -> None:
    exposures = yaml.safe_load((PROJECT / "models" / "exposures.yml").read_text())["exposures"]
    declared = {
        exposure["name"]: {re.findall(r"'(\w+)'", ref)[0] for ref in exposure["depends_on"]}
        for exposure in exposures
        if exposure["type"] == "dashboard"
    }
    assert declared == {board: read_by(board) for board in BOARDS}


def read_by(board: str) -> set[str]:
    """Return the models that a board reads, by its own queries or by those that all share."""
    shared, own = (yaml.safe_load((CHARTS / f"{name}.yml").read_text()) for name in ("meta", board))
    queries = {**shared["queries"], **own["queries"]}
    variables = {**shared["variables"], **own.get("variables", {})}
    todo = set(own["queries"])
    todo |= {shown["options"]["query"] for shown in variables.values() if "options" in shown}
    models: set[str] = set()
    done: set[str] = set()
    while todo:
        done.add(name := todo.pop())
        sql = queries[name]["sql"]
        models |= set(re.findall(r"ref\('(\w+)'\)", sql))
        todo |= set(re.findall(r"queries\.(\w+)", sql)) - done
    return models


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None and shutil.which("apt-get") and os.geteuid() == 0:
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
        subprocess.run(["apt-get", "update", "-qq"], capture_output=True, check=False)
        subprocess.run(install, capture_output=True, check=False)
        path = shutil.which("chromium")
    if path is None:
        assert not os.environ.get("CI"), "CI looks at the boards: give it Chromium"
        pytest.skip("Boards are not looked at: there is no Chromium, and apt-get cannot install it")
    with sync_playwright() as playwright:
        # The sandbox of Chromium does not run as root, and sees pages of this machine only.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def url(folder: Folder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the boards as `make dashboard` does."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [Path(sys.executable).with_name("dct"), "serve", "--port", str(port)]
    # What is written in the folder of a project makes its pages load again.
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            command,
            cwd=folder.path,
            env=folder.environment(),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        address = f"http://localhost:{port}"
        until = time.monotonic() + STARTING
        while not answers(address):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        server.wait()


def answers(address: str) -> bool:
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address):
            return True
    except OSError:
        return False


COUNTED = "from testio_marts.test_quality"
EXECUTED = (
    "from testio_marts.fct_bugs as bugs "
    "inner join testio_marts.test_quality using (customer_id, test_id)"
)
LATEST = (
    "from testio_marts.product_quality where period_type = 'quarter' and period_start_on = "
    "(select max(period_start_on) from testio_marts.product_quality where period_type = 'quarter')"
)
# The figures of each board as the marts tell them: by chart, the format, and the SQL.
FIGURES = {
    "quality_overview": {
        "bugs_kpi": ("{:,}", f"select sum(bug_count) {LATEST}"),
        "critical_bugs_kpi": ("{:,}", f"select sum(critical_bug_count) {LATEST}"),
        "tests_kpi": ("{:,}", f"select sum(test_count) {LATEST}"),
        "bugs_per_test_kpi": ("{:.1f}", f"select sum(bug_count) / sum(test_count) {LATEST}"),
        "rejection_rate_kpi": (
            "{:.1%}",
            f"select sum(rejected_bug_count) / sum(decided_bug_count) {LATEST}",
        ),
        "active_acceptance_rate_kpi": (
            "{:.1%}",
            f"select sum(accepted_bug_count) / sum(decided_bug_count) {LATEST}",
        ),
    },
    "feature_fragility": {
        "worst_kpi": (
            "{:.1f}",
            "select max(bugs_per_test) from testio_marts.feature_quality where test_count >= 2",
        ),
        "features_kpi": (
            "{:,}",
            "select count(*) from testio_marts.feature_quality where test_count > 0",
        ),
        "coverage_kpi": (
            "{:.1%}",
            "select count(*) filter (tested_test_count > 0) / count(*) filter (test_count > 0) "
            "from testio_marts.feature_quality",
        ),
        "unattributed_kpi": ("{:,}", f"select sum(unattributed_bug_count) {COUNTED}"),
    },
    "triage": {
        "backlog_kpi": ("{:,}", f"select sum(open_bug_count) {COUNTED}"),
        "time_kpi": ("{:,.1f}days", f"select median(days_to_first_triage) {EXECUTED}"),
        "rejection_kpi": ("{:.1%}", f"select sum(rejected_bug_count) / sum(bug_count) {COUNTED}"),
        "auto_acceptance_kpi": (
            "{:.1%}",
            "select sum(auto_accepted_bug_count) "
            f"/ sum(accepted_bug_count + auto_accepted_bug_count) {COUNTED}",
        ),
    },
    "coverage": {
        "stories_kpi": ("{:,}", f"select sum(tested_user_story_count) {COUNTED}"),
        "pass_rate_kpi": (
            "{:.1%}",
            f"select sum(passed_user_story_count) / sum(tested_user_story_count) {COUNTED}",
        ),
        "tested_kpi": (
            "{:,}",
            "select count(*) from testio_marts.feature_quality where tested_test_count > 0",
        ),
        "untested_kpi": (
            "{:,}",
            "select count(*) from testio_marts.feature_quality "
            "where tested_test_count = 0 and not is_deleted",
        ),
    },
    "testers_and_platforms": {
        "bugs_kpi": ("{:,}", f"select sum(bug_count) {COUNTED}"),
        "authors_kpi": ("{:,}", f"select count(distinct tester_name) {EXECUTED}"),
        "several_kpi": (
            "{:,}",
            f"select count(*) {EXECUTED} where 1 < (select count(*) "
            "from testio_marts.bridge_bug_platforms as platforms "
            "where platforms.bug_id = bugs.bug_id)",
        ),
    },
    "data_health": {
        "incomplete_kpi": ("{:,}", "select count(*) from testio_audit.audit_incomplete_scopes"),
        "quarantine_kpi": ("{:,}", "select count(*) from testio_audit.audit_quarantine"),
        "rejected_kpi": (
            "{:,}",
            "select (select count(*) from testio_audit.audit_rejected_bugs) "
            "+ (select count(*) from testio_audit.audit_rejected_test_features)",
        ),
        "unreconciled_kpi": ("{:,}", "select count(*) from testio_audit.audit_unreconciled"),
        "unfit_kpi": ("{:,}", "select count(*) from testio_audit.audit_unfit_values"),
    },
}


@pytest.mark.parametrize("board", BOARDS)
def test_a_board_shows_the_figures_of_the_marts(
    board: str, browser: Browser, folder: Folder, url: str
) -> None:
    with browser.new_page(viewport={"width": 1280, "height": 1024}) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{url}/{board}/")
        page.evaluate("document.fonts.ready")
        kept = PROJECT / "reports" / "screenshots" / f"{board}.png"
        page.screenshot(path=kept, full_page=True)
        shown = {chart: figure(page, chart) for chart in FIGURES[board]}
        away = [address for address in asked if not address.startswith((url, "data:"))]
    told = {chart: form.format(folder.one(sql)) for chart, (form, sql) in FIGURES[board].items()}
    assert shown == told
    assert away == []


def test_figures_follow_a_filter(browser: Browser, folder: Folder, url: str) -> None:
    name = folder.one("select min(product_name) from testio_marts.dim_products")
    bugs = folder.one(
        f"select sum(bug_count) {COUNTED} inner join testio_marts.dim_products "
        f"using (customer_id, product_id) where product_name = '{name}'"
    )
    with browser.new_page() as page:
        page.goto(f"{url}/testers_and_platforms/")
        assert figure(page, "bugs_kpi") != f"{bugs:,}"
        page.get_by_role("combobox", name="Product").press("Enter")
        page.locator(".dbt-popover-open").get_by_role("option", name=name, exact=True).click()
        expect(page.locator("[data-chart-id=bugs_kpi] text").first).to_have_text(f"{bugs:,}")


def figure(page: Page, chart: str) -> str | None:
    """Return the number on a card, with its unit; label and comparison follow it."""
    return page.locator(f"[data-chart-id={chart}] text").first.text_content()
