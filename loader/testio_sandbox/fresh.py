"""Creates new tests and bugs like those of an account, with unused ids."""

from typing import Any

from testio_sandbox.account import Account
from testio_sandbox.content import TESTERS
from testio_sandbox.plan import IDS_PER_CUSTOMER
from testio_sandbox.record import Record, parts, usable_id
from testio_sandbox.records import make_attachment, title_of

_TESTS, _TEST_FEATURES, _BUGS = 90_000_000, 91_000_000, 92_000_000
_FEATURES_PER_TEST, _BUGS_PER_TEST = 10, 100


def new_test(account: Account, product_id: int, title: str, **fields: Any) -> Record:
    """Return a new test, based on one of the product's newest tests."""
    path = f"/products/{product_id}/exploratory_tests"
    tests = account(path, {"page": ["1"]}).json()["exploratory_tests"]
    like = next(test for test in tests if test.get("title") and _sound_features(test))
    at = 1
    while account(f"/exploratory_tests/{_id(product_id, _TESTS + at)}", {}).status != 404:
        at += 1
    features = [
        feature | {"id": _id(product_id, _TEST_FEATURES + _FEATURES_PER_TEST * at + place)}
        for place, feature in enumerate(_sound_features(like)[:_FEATURES_PER_TEST])
    ]
    own = {"id": _id(product_id, _TESTS + at), "title": title, "features": features}
    dates: Record = {"status": "initialized", "start_at": None, "end_at": None, "reviews": []}
    return {**like, **own, **dates, "review_status": None, "attachments": [], **fields}


def new_bug(test: Record, place: int, **fields: Any) -> Record:
    """Return a bug of a new test; each `place` gives a different bug."""
    at = (usable_id(test) or 0) % IDS_PER_CUSTOMER - _TESTS
    id_ = _id(usable_id(test) or 0, _BUGS + _BUGS_PER_TEST * at + place)
    feature = test["features"][place % len(test["features"])]
    bug = {
        "id": id_,
        "title": f"[{feature['title']}] New bug {place + 1}",
        "severity": ("low", "high", "critical", "visual")[place % 4],
        "status": "forwarded",
        "auto_accepted": False,
        "known": False,
        "language": test["report_language"],
        "location": feature["location"],
        "expected_result": "It works.",
        "actual_result": "It does not.",
        "steps": ["Open the start page", f"Go to “{feature['title']}”"],
        "author": {"name": TESTERS[place % len(TESTERS)]},
        "test": {"id": test["id"], "title": title_of(test)},
        "test_case": None,
        "product": test["product"],
        "section": test["section"],
        "feature": {"id": feature["feature_id"], "title": feature["title"]},
        "test_feature": {name: feature[name] for name in ("id", "feature_id", "title")},
        "test_environment": test["test_environment"],
        "devices": [],
        "comments": [],
        "attachments": [make_attachment("bug", id_)],
        "reproductions": [],
        "reported_at": test["start_at"],
        "exported_at": None,
        "external_idx": None,
        "report": None,
    }
    return bug | fields


def _id(any_id: int, own: int) -> int:
    """Return `own` as an id of the customer to whom `any_id` belongs."""
    return any_id - any_id % IDS_PER_CUSTOMER + own


def _sound_features(test: Record) -> list[Record]:
    """Return a test's features that have ids and a title, with user stories as texts."""
    return [
        feature | {"user_stories": _texts(feature)}
        for feature in parts(test, "features")
        if usable_id(feature) and usable_id(feature, "feature_id") and feature.get("title")
    ]


def _texts(feature: Record) -> list[str]:
    # As objects, they would name versions of the test that they are copied from.
    stories = feature.get("user_stories") or []
    return [story["path"] if isinstance(story, dict) else story for story in stories]
