"""What makes a version of a record, and what does not."""

import json
from itertools import permutations

import pytest

from testio_loader.api.endpoints import BUGS
from testio_loader.read.records import BadRecordError, make_record
from testio_loader.read.scope import Scope

URL = "https://files.example.com/1.png?signature="


def attachment(signature: str) -> dict[str, object]:
    url = URL + signature
    return {"url": url, "thumbnail_urls": {"50x50": f"{url}&size=50"}}


def test_neither_signatures_nor_the_order_of_keys_make_a_version() -> None:
    one, other = attachment("1"), attachment("22")
    turned = dict(reversed(other.items()))
    assert (
        make_record({"id": 1, "attachments": [one]}).content
        == make_record({"attachments": [turned], "id": 1}).content
    )


@pytest.mark.parametrize("own", [[], [attachment("3")], attachment("3"), f"{URL}3", None])
def test_signatures_make_no_version_wherever_attachments_are(own: object) -> None:
    def record(signature: str) -> dict[str, object]:
        return {"id": 1, "attachments": own, "comments": [{"attachments": [attachment(signature)]}]}

    assert make_record(record("1")).content == make_record(record("22")).content
    assert "signature" not in make_record(record("1")).content


def test_another_file_makes_a_version() -> None:
    one, other = attachment("1"), {"url": "https://files.example.com/2.png?signature=1"}
    assert (
        make_record({"id": 1, "attachments": [one]}).content
        != make_record({"id": 1, "attachments": [other]}).content
    )


def test_results_that_another_endpoint_is_read_for_make_no_version() -> None:
    plain = {"id": 1, "features": [{"id": 2, "user_stories": [{"id": 3}]}]}
    story = {"id": 3, "execution_status": "passed"}
    detailed = {"id": 1, "analytics": {}, "features": [{"id": 2, "user_stories": [story]}]}
    without = {"analytics", "execution_status"}
    assert make_record(plain).content == make_record(detailed, without=without).content
    assert make_record(plain).content != make_record(detailed).content


def test_of_records_with_one_id_in_an_answer_the_same_one_stays_in_any_order() -> None:
    """Issue 15, generated accounts: the same bytes in another order give the same rows."""
    given = [{"id": 1, "title": title} for title in ("a", "b", "c")] + [{"id": 2}]
    given += [{"title": "a", "id": 1}]  # the same once more
    for order in permutations(given):
        scope = Scope(BUGS, 1)
        kept = {record.id: record.value for record in scope.keyed(order)}
        assert kept == {1: given[2], 2: given[3]}
        aside = [json.loads(original)["title"] for _, original in scope.quarantined]
        assert sorted(aside) == ["a", "b"]


@pytest.mark.parametrize("key", ["", " ", "\u00a0\t", None])
def test_a_blank_key_is_none(key: str | None) -> None:
    """Issue 15, row 1: also where a text is the key of a record."""
    with pytest.raises(BadRecordError, match=r"^no key$"):
        make_record({"key": key}, "key")
