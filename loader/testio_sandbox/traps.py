"""Traps: irregularities of real accounts that can break a loader or model; one line per trap.

They depend on the numbers of records, so that even the smallest account has each of them.
"""

from datetime import UTC, datetime, timedelta, timezone

from testio_sandbox.content import REJECT_REASONS
from testio_sandbox.record import Record

SECRET = "s3cr3t"  # noqa: S105 - part of every credential, so that a search finds leaks
SIGNATURE = "@signature@"
"""Placeholder in the URLs of attachments; every read replaces it with a new signature."""
VERDICTS = {
    13: ("on_hold", False),  # an unknown status
    20: ("rejected", False),
    21: ("rejected", False),
    22: ("accepted", False),
    23: ("accepted", True),
    25: ("rejected", False),
}
"""Status and auto_accepted, by bug number, that each account must have."""
_FLAGS = ("enable_default", "enable_content", "enable_visual")
_TITLES = {
    14: "🛒 Warenkorb 😱 doesn't open 👩‍👩‍👧",
    15: "It's \"quoted\", 'twice', back\\slashed and 100% odd; -- {{ braces }}",
    16: "A title\nof two lines\tand a tab",
    17: "زر الدفع لا يعمل في الصفحة (RTL)",
}
_ZONES = tuple(timezone(timedelta(hours=hours)) for hours in (2, -5))


def stamp(moment: datetime | None, number: int) -> str | None:
    """Return a time as text; offset and precision differ per record."""
    if moment is None:
        return None
    if number % 5 < 2:
        return moment.astimezone(_ZONES[0]).isoformat(timespec="milliseconds")
    if number % 5 == 2:
        return moment.astimezone(_ZONES[1]).isoformat(timespec="seconds")
    precision = "milliseconds" if number % 5 == 3 else "seconds"
    return moment.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def bend_product(number: int, product: Record) -> None:
    """Give a product sections, no sections, or fields that only look like sections."""
    if number % 4 == 1:  # only the second list has the sections
        product["sections"], product["sections_with_default"][2:] = [], []
    if number % 4 == 2:  # a default section alone does not count as sections
        product["sections"], product["sections_with_default"][1:] = [], []
    if number % 4 == 3:  # an older product has no fields for sections
        del product["sections"], product["sections_with_default"]


def sections(product: Record) -> list[Record]:
    """Return the sections by which to request a product's features; ordinary products have none."""
    plain, with_default = product.get("sections"), product.get("sections_with_default")
    return with_default if with_default and (plain or len(with_default) > 1) else plain or []


def sections_of_feature(place: int, of_product: list[int]) -> list[int]:
    """Return the sections a feature is in; every fourth feature is in all of them."""
    return of_product if place % 4 == 0 else of_product[place % len(of_product) :][:1]


def story_shape(number: int, place: int) -> str:
    """Return the shape in which a feature has its user stories."""
    return {1: "objects", 3: "null", 5: "missing"}.get((number + place) % 7, "texts")


def bend_test(number: int, test: Record, deleted_feature_id: int) -> None:
    """Add traps to a test and its features."""
    first, second, *_ = test["features"]
    for place, flag in enumerate(_FLAGS):
        state = (number + place) % 4
        if state == 1:
            del first[flag]
        else:
            first[flag] = (True, None, None, False)[state]
    if number % 200 == 0:  # an old test: no feature_id, and the title in test_title
        for feature in test["features"]:
            feature.pop("feature_id", None)
        test["test_title"] = test.pop("title")
    if number % 12 == 1:
        first["feature_id"] = None
    if number % 12 == 2:
        del second["id"]
    if number % 12 == 3:  # deleted before the first load: in no catalogue
        first["feature_id"] = deleted_feature_id
    if number % 12 == 4:
        del first["title"]
    if number % 12 == 5:
        first["id"], first["feature_id"] = str(first["id"]), str(first["feature_id"])
    if number % 12 == 6:
        test["test_title"], test["title"] = test["title"], None
    if number % 12 == 7:
        second["title"] = None
    if number % 12 == 8:
        test["requirements"] = [{}, {"id": 1, "category": {}, "browsers": [{}], "devices": [{}]}]
    if number % 12 == 9:
        test["created_by"] = test["submitted_by"] = None


def bend_bug(number: int, bug: Record) -> None:
    """Add traps to a bug."""
    # Attribution
    test_feature = bug["test_feature"]
    if number % 41 == 3:
        del bug["test_feature"]
    if number % 43 == 4:
        bug["test_feature"] = None
    if number % 47 == 5:
        test_feature.pop("feature_id", None)
    if number % 37 == 6:  # dangling: no test has it
        test_feature["id"] = bug["id"]
    if number % 53 == 9 and "id" in test_feature:
        test_feature["id"] = str(test_feature["id"])
    # Other ids as text
    if number % 29 == 7:
        bug["id"] = str(bug["id"])
    if number % 31 == 8:
        bug["test"] = {**bug["test"], "id": str(bug["test"]["id"])}
    # The older name of `feature`: in addition to it, or instead of it
    if number % 4 in (1, 2):
        bug["app_section"] = bug["feature"]
    if number % 4 == 2:
        del bug["feature"]
    # Other shapes
    if number % 7 == 2:
        bug["steps"] = "\n".join(bug["steps"])
    if number % 10 == 4:
        del bug["known"]
    if number == 10:
        bug["known"] = True
    if number % 9 == 1 and not bug["auto_accepted"]:
        del bug["auto_accepted"]
    if number % 13 == 5:
        bug["devices"][0]["operating_system_version"] = {"name": None}
    if number % 13 == 7:
        bug["devices"][0] |= {"operating_system_version": None, "browsers": []}
    if number % 17 == 3:
        bug["devices"] = []
    if number % 59 == 18:
        bug["reported_at"] = None
    # Texts
    bug["title"] = _TITLES.get(number % 200, bug["title"])
    if number == 11:
        bug["actual_result"] = "A log, pasted as a whole. " * 2400


def rejection(number: int, default_comment: str, roll: float) -> str:
    """Return the comment of a rejection; most contain the default comment of the reason."""
    if number == 25:  # two reasons in one comment: the API's order decides
        return f"{REJECT_REASONS[5][2]} Besides: {REJECT_REASONS[3][2]}"
    if number == 21 or (number != 20 and roll > 0.9):  # no known reason
        return "Sorry, we do not take this one."
    return f"Hello,\n\n{default_comment}\n\nBest regards 🙂" if roll > 0.4 else default_comment


def second_thoughts(number: int) -> str | None:
    """Return a comment on an accepted bug that quotes a reject reason, which must not count."""
    quoted = REJECT_REASONS[number % len(REJECT_REASONS)][2]
    return f'At first we said "{quoted}", but it is a bug.' if number % 40 == 22 else None


def custom_report(number: int) -> Record:
    """Return a custom report: keys and values of any kind."""
    data = {
        "WCAG criterion": "1.4.3 Contrast",
        "Impact": number % 4,
        "Blocks screen readers": number % 2 == 0,
        "Prüfer": None,
        "Devices": ["NVDA", "VoiceOver"],
    }
    return {"title": "Accessibility", "content": {"data": data}}
