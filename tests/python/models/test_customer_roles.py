"""The variable `customer_roles` is read strictly: nobody sees rows by a slip of the pen."""

from typing import Any

import jinja2
import jinja2.ext
import pytest
from commands import PROJECT
from conftest import Dbt


class RefusedError(Exception):
    """What dbt raises."""


class _ReturnedError(Exception):
    """Carries what the macro returns, as dbt's own exception does."""


def read(roles: Any) -> dict[str, str]:
    """Call the macro as dbt does, without dbt."""

    def refuse(message: str) -> None:
        raise RefusedError(message)

    def give_back(value: Any) -> None:
        raise _ReturnedError(value)

    environment = jinja2.Environment(extensions=[jinja2.ext.do], autoescape=False)
    source = (PROJECT / "macros" / "engine" / "admit.sql").read_text()
    module: Any = environment.from_string(source).make_module(
        {
            "var": {"customer_roles": roles}.__getitem__,
            "exceptions": type("", (), {"raise_compiler_error": staticmethod(refuse)}),
            "return": give_back,
        }
    )
    try:
        module.customer_roles()
    except _ReturnedError as returned:
        conditions: dict[str, str] = returned.args[0]
        return conditions
    raise AssertionError("the macro returns nothing")


def test_lists_of_whole_numbers_and_all_are_what_they_say() -> None:
    roles = {"acme": [1], "Globex": [3, 2, 3], 'say "hi"': [0], "analyst": "all"}
    assert read(roles) == {
        '"acme"': "customer_id in (1)",
        '"Globex"': "customer_id in (3, 2)",
        '"say ""hi"""': "customer_id in (0)",
        '"analyst"': "true",
    }
    assert read({}) == {}


@pytest.mark.parametrize(
    "customers",
    [
        "12", "ALL", "All", "", " all", "1", ["x"], ["all"], ["1"], 1, 0, -1, 1.5, [], [[]], [[1]],
        {}, {"a": 1}, [{"a": 1}], {1: 2}, None, [None], True, False, [True], [1, True], [False],
        [1.0], [1.5], [-1], [1, -1], [1, "2"], [float("inf")],
    ],
    ids=repr,
)  # fmt: skip
def test_anything_else_is_refused_in_one_line(customers: Any) -> None:
    """Issue 15, row 28: '12' was customers 1 and 2, ALL and ['x'] were customer 0."""
    with pytest.raises(RefusedError, match=r"^customer_roles: the role globex has [^\n]*\[1, 2\]"):
        read({"acme": [1], "globex": customers})


@pytest.mark.parametrize("roles", [["acme"], "acme", 1, None, True], ids=repr)
def test_what_is_no_mapping_is_refused(roles: Any) -> None:
    """Issue 15, row 28."""
    with pytest.raises(RefusedError, match=r"^customer_roles is [^\n]*\{\} for none"):
        read(roles)


@pytest.mark.parametrize("role", [1, "", None, True], ids=repr)
def test_what_is_no_name_of_a_role_is_refused(role: Any) -> None:
    """Issue 15, row 28."""
    with pytest.raises(RefusedError, match="customer_roles: the role"):
        read({role: [1]})


def test_dbt_says_so_before_it_builds_anything(dbt: Dbt) -> None:
    """Issue 15, row 28: 1 and [] ended in raw errors, halfway through a build."""
    told = dbt("build", "--vars", "{customer_roles: {acme: '12'}}", status=2)
    assert 'customer_roles: the role acme has "12"; write a list of whole numbers' in told
