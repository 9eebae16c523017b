"""Path, parent, read strategy and raw table of each API endpoint.

To read another endpoint with one call per scope, define it here and add it to ENDPOINTS (see
CONTRIBUTING.md). Reading in pages and batches is made for tests, bugs and executions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from testio_loader.tables import LEDGER, QUARANTINE, RECORD_KEY, ColumnType, Table

Parent = Literal["account", "product", "test"]
"""What a scope belongs to. Every load reads the scopes of the account and its products. The scopes
of a test are read when the test is due, see `testio_loader.read.refresh_policy`."""

Reading = Literal["whole", "pages", "batches"]
"""How a scope is read: in one call, page by page, or in batches of several tests."""


@dataclass(frozen=True)
class Endpoint:
    """An endpoint of the API and the raw table of its records.

    `path` and `section_path` are URL templates with their query. A product with sections is read by
    `section_path`, once per section. `columns` are extra columns of the raw table, such as the id
    of the product or test.
    """

    name: str
    path: str
    answer_keys: tuple[str, ...]
    """The keys that may contain the records; "" means that the answer is a bare list."""
    parent: Parent = "account"
    reading: Reading = "whole"
    columns: Mapping[str, ColumnType] = field(default_factory=dict)
    id_field: str = "id"
    section_path: str = ""
    is_object: bool = False
    """Whether the answer is one object, not a list; the object may have no id."""
    test_field: str = ""
    """The field with the test that a record of a batch belongs to."""
    separator: str = ","
    """The text between two ids of a batch in the path."""
    counts_records: bool = False
    """Whether a batch has pages and gives its number of records in `meta.record_count`."""
    is_shared: bool = False
    """Whether tests can share an id of a batch, so that an answer has records of all of them."""
    can_be_missing: bool = False
    """Whether HTTP 404 can mean that there are no records."""
    for_test_cases: bool = False
    """Whether only tests without a testing type have this endpoint."""
    is_read_last: bool = False
    """Whether it is read after the rest of its test, and can wait while the rest is unchanged."""
    is_final_with_test: bool = False
    """Whether the same applies once its test is final."""
    results: frozenset[str] = frozenset()
    """Keys that do not make a new version, because another endpoint has their data."""

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
        """The columns that identify a record.

        Several products can list the same record, and a load may read only one of these products.
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
