"""The endpoints of the API: what is asked, for whose sake, how, and what lands in which raw table.

To read another endpoint, add its row to ENDPOINTS.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from testio_loader.tables import LEDGER, QUARANTINE, RECORD_KEY, ColumnType, Table

Parent = Literal["account", "product", "test"]
"""Whose scope it is. What belongs to the account or a product is read at every load; what belongs
to a test is read when the test is due, see `testio_loader.read.refresh_policy`."""

Reading = Literal["whole", "pages", "batches"]
"""How a scope is read: in one call; page by page; or together with those of other tests."""


@dataclass(frozen=True)
class Endpoint:
    """An endpoint of the API and the raw table that its records land in.

    `path` and `section_path` are templates, query included. Products with sections are asked by
    `section_path`, once a section. `columns` are what a row has beside its own id and the payload.
    """

    name: str
    path: str
    answer_keys: tuple[str, ...]
    """Under which of them the answer stands; "" is an answer that is a bare list."""
    parent: Parent = "account"
    reading: Reading = "whole"
    columns: Mapping[str, ColumnType] = field(default_factory=dict)
    id_field: str = "id"
    section_path: str = ""
    is_object: bool = False
    """Whether the answer is one object, not a list; it may do without an id of its own."""
    test_field: str = ""
    """Where a record of a batch says which test it belongs to."""
    separator: str = ","
    """Stands between the ids of a batch."""
    counts_records: bool = False
    """Whether a batch comes in pages and says, under `meta.record_count`, how many there are."""
    is_shared: bool = False
    """Whether tests can share an id of a batch, so that an answer has the records of them all."""
    can_be_missing: bool = False
    """Whether not to be found (HTTP 404) can mean that there is nothing of it."""
    for_test_cases: bool = False
    """Whether only tests without a testing type have it."""
    is_read_last: bool = False
    """Whether it is read after the rest of its test, and can wait while that has not changed."""
    is_final_with_test: bool = False
    """Whether the same goes for it once its test is final."""
    results: frozenset[str] = frozenset()
    """Keys that make no version, since another endpoint is read for them."""

    @property
    def table(self) -> Table:
        """The raw table of this endpoint's records."""
        columns: dict[str, ColumnType] = {
            "customer_id": "bigint",
            "id": "bigint" if self.id_field == "id" else "text",
            RECORD_KEY: "text",
            **self.columns,
            "payload": "text",
            "content_hash": "text",
            "loaded_at": "timestamp",
        }
        required = columns.keys() - self.columns.keys() - {RECORD_KEY}
        return Table(self.name, columns, frozenset(required), self.key)

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that tell its records apart.

        Products can list the same record, and a load may read only one of them.
        """
        is_catalogue = self.parent == "product" and self.reading == "whole"
        return ("customer_id", "product_id", "id") if is_catalogue else ("customer_id", "id")


PRODUCTS = Endpoint("products", "/products", ("products",))
REJECT_REASONS = Endpoint(
    "reject_reasons",
    "/bugs/reject_reasons",
    ("reject_reasons",),
    columns={"position": "bigint"},
    id_field="key",
)
FEATURES = Endpoint(
    "features",
    "/products/{product_id}/features?includes[]=user_stories",
    ("features",),
    "product",
    columns={"product_id": "bigint", "section_ids": "text"},
    section_path="/products/{product_id}/sections/{section_id}/features?includes[]=user_stories",
    can_be_missing=True,
)
USER_STORIES = Endpoint(
    "user_stories",
    "/products/{product_id}/user_stories",
    ("user_stories",),
    "product",
    columns={"product_id": "bigint", "section_ids": "text"},
    section_path="/products/{product_id}/user_stories?section_id={section_id}",
    can_be_missing=True,
)
TEST_ENVIRONMENTS = Endpoint(
    "test_environments",
    "/products/{product_id}/test_environments",
    ("test_environments",),
    "product",
    columns={"product_id": "bigint"},
    can_be_missing=True,
)
TEST_TEMPLATES = Endpoint(
    "test_templates",
    "/test_templates?product_id={product_id}",
    ("test_templates", ""),
    "product",
    columns={"product_id": "bigint"},
    can_be_missing=True,
)
TESTS = Endpoint(
    "tests",
    "/products/{product_id}/exploratory_tests?includes[]=user_stories",
    ("exploratory_tests",),
    "product",
    "pages",
    columns={"product_id": "bigint"},
    results=frozenset(
        {
            "analytics",
            "execution_status",
            "tester_count",
            "tested_by_count",
            "bugs_found",
            "bug_ids",
        }
    ),
)
TEST_DETAILS = Endpoint(
    "test_details",
    "/exploratory_tests/{test_id}?includes[]=user_stories",
    ("exploratory_test",),
    "test",
    columns={"product_id": "bigint"},
    is_object=True,
    can_be_missing=True,
    is_read_last=True,
)
BUGS = Endpoint(
    "bugs",
    "/bugs?filter_test_cycle_ids={ids}",
    ("bugs",),
    "test",
    "batches",
    columns={"test_id": "bigint"},
    test_field="test",
)
EXECUTIONS = Endpoint(
    "executions",
    "/user_story_version_executions?user_story_version_ids[]={ids}",
    ("user_story_version_executions",),
    "test",
    "batches",
    columns={"test_id": "bigint", "user_story_id": "bigint", "user_story_version_id": "bigint"},
    test_field="test_cycle",
    separator="&user_story_version_ids[]=",
    counts_records=True,
    is_shared=True,
    can_be_missing=True,
)
TEST_CASE_TESTS = Endpoint(
    "test_case_tests",
    "/products/{product_id}/test_case_tests/{test_id}",
    ("test_case_test",),
    "test",
    columns={"product_id": "bigint"},
    is_object=True,
    for_test_cases=True,
    can_be_missing=True,
    is_read_last=True,
)
TEST_CASE_RESULTS = Endpoint(
    "test_case_results",
    "/products/{product_id}/test_case_tests/{test_id}/results",
    ("results", "test_case_results", ""),
    "test",
    columns={"test_id": "bigint"},
    for_test_cases=True,
    can_be_missing=True,
    is_final_with_test=True,
)
ENDPOINTS = (
    PRODUCTS,
    REJECT_REASONS,
    FEATURES,
    USER_STORIES,
    TEST_ENVIRONMENTS,
    TEST_TEMPLATES,
    TESTS,
    TEST_DETAILS,
    BUGS,
    EXECUTIONS,
    TEST_CASE_TESTS,
    TEST_CASE_RESULTS,
)
TABLES = (*(endpoint.table for endpoint in ENDPOINTS), LEDGER, QUARANTINE)
