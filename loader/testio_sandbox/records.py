"""Creates the records of the synthetic account on demand, as the API returns them.

They are regular here; `testio_sandbox.traps` then adds the irregularities of real accounts.
"""

from datetime import timedelta
from functools import lru_cache
from random import Random
from typing import Any

from testio_sandbox import traps
from testio_sandbox.content import (
    CUSTOMER_USERS,
    DEVICES,
    DEVICES_OF,
    OBSERVATIONS,
    PRODUCTS,
    STORIES,
    TESTERS,
    Topic,
)
from testio_sandbox.plan import TESTING_TYPES, Cycle, Plan, Run
from testio_sandbox.record import Record, part
from testio_sandbox.traps import SECRET, SIGNATURE, stamp

_RESULTS = ("passed",) * 12 + ("failed", "blocked", "cancelled", "pending")
_RESULTS_IF_WEAK = ("failed",) * 6 + ("passed",) * 4 + ("blocked", "cancelled")


class Records:
    """Creates products, features, tests and executions from their numbers."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        rng = plan.random("account")
        self._products = rng.sample(PRODUCTS, len(PRODUCTS))
        self.testers = rng.sample(TESTERS, len(TESTERS))
        self.test = lru_cache(256)(self._test)
        self.product = lru_cache(256)(self._product)
        self.environments = lru_cache(256)(self._environments)

    def next_day(self) -> None:
        """Forget the tests of the day before."""
        self.test.cache_clear()

    # Products and what belongs to them

    def _product(self, number: int) -> Record:
        name, kind = self._products[number % len(PRODUCTS)]
        generation = number // len(PRODUCTS) + 1
        sections = [
            {"id": self._plan.id("sections", 10 * number + place), "name": section}
            for place, section in enumerate(("Default", "Shop", "Account", "App"))
        ]
        product = {
            "id": self._plan.id("products", number),
            "name": name if generation == 1 else f"{name} {generation}",
            "description": f"{name}, tested by people on their own devices",
            "type": kind,
            "default_section_id": sections[0]["id"],
            "sections": sections[1:],
            "sections_with_default": sections,
            "connection": None,
        }
        traps.bend_product(number, product)
        return product

    def feature(self, number: int) -> Record:
        """Return a feature of a product's catalogue."""
        product, place = self._plan.place(number)
        topic = self._plan.topic(product, place)
        feature = {"id": self._plan.id("features", number), **_describe(topic)}
        if product % 4 == 0:  # only newer products name the sections of a feature here
            feature["section_ids"] = self.section_ids(number)
        return self._shaped(feature, product, traps.story_shape(product, place))

    def section_ids(self, feature: int) -> list[int]:
        """Return the sections that a feature is in."""
        product, place = self._plan.place(feature)
        ids = [section["id"] for section in traps.sections(self.product(product))]
        return traps.sections_of_feature(place, ids) if ids else []

    def expanded(self, feature: Any, product: int, test_feature_id: int | None = None) -> Any:
        """Return a feature of the catalogue, or of a test, with its user stories as objects."""
        given = feature.get("user_stories") if isinstance(feature, dict) else None
        if not isinstance(given, list):
            return feature
        stories = []
        for path in given:
            if not isinstance(path, str):
                stories.append(path)
                continue
            story_id = self._plan.story_id(product, path)
            story = {"id": story_id, "path": path, "title": STORIES.get(path, path)}
            if test_feature_id is None:
                story["feature_id"] = feature.get("id")
            else:
                story["feature_id"] = feature.get("feature_id")
                story["user_story_version_id"] = self._plan.version_id(test_feature_id, path)
            stories.append(story)
        return {**feature, "user_stories": stories}

    def _shaped(
        self, feature: Record, product: int, shape: str, test_feature_id: int | None = None
    ) -> Record:
        """Put the user stories into one of the known shapes."""
        if shape == "objects":
            feature = self.expanded(feature, product, test_feature_id)
        elif shape == "null":
            feature["user_stories"] = None
        elif shape == "missing":
            del feature["user_stories"]
        return feature

    def _environments(self, product: int) -> list[Record]:
        """Return a product's test environments, with credentials in clear text."""
        rng = self._plan.random("environments", product)
        urls = (
            f"https://qa-{SECRET}:pw-{SECRET}@staging.example.com/?token={SECRET}-{product}",
            f"preview.example.com/login?access_token={SECRET}&lang=en#key={SECRET}",
            None,
        )
        return [
            {
                "id": self._plan.id("environments", 10 * product + place),
                "title": ("Staging", "Preview", "Store build")[place],
                "url": url,
                "username": None if place == 2 else f"tester-{SECRET}-{rng.randrange(1000)}",
                "password": f"{SECRET}-{rng.getrandbits(40):x}",
                "access": "" if place == 1 else f"Use the PIN {SECRET}-{rng.randrange(9999)}.",
                "proxy": False,
                "allow_orders": False,
                "access_type": "url",
                "binary_app": None,
            }
            for place, url in enumerate(urls)
        ]

    # Tests

    def _test(self, number: int) -> Record:
        cycle, rng = self._plan.cycle(number), self._plan.random("test texts", number)
        status = self._plan.status(number)
        product = self.product(cycle.product)
        topics = [self._plan.topic(cycle.product, place) for place in cycle.picks]
        sections = traps.sections(product)
        texts = {
            "goal": f"Find what keeps shoppers from using “{topics[0].title.lower()}”.",
            "out_of_scope": "Spelling in user reviews",
            "instructions": "Use a private window. Read the list of known bugs first.",
        }
        test = {
            "id": self._plan.id("tests", number),
            "title": f"{topics[0].title} and more, {product['name']} #{number + 1}",
            "status": status,
            "testing_type": TESTING_TYPES[number % len(TESTING_TYPES)],
            **{name: f"<p>{text}</p>" for name, text in texts.items()},
            **{f"{name}_text": text for name, text in texts.items()},
            "product": {name: product[name] for name in ("id", "name", "type")},
            "section": sections[number % len(sections)] if sections else None,
            "test_environment": self.environments(cycle.product)[number % 3],
            "features": [
                self._test_feature(number, cycle, place, topic)
                for place, topic in enumerate(topics)
            ],
            "requirements": [_requirement(rng) for _ in range(rng.randrange(3))],
            "report_language": rng.choice(("en", "en", "de")),
            "enable_low": number % 3 != 1,
            "enable_high": True,
            "enable_critical": True,
            "created_by": rng.choice(CUSTOMER_USERS),
            "submitted_by": rng.choice(CUSTOMER_USERS) if cycle.start else None,
            "start_at": stamp(cycle.start, number),
            "end_at": stamp(cycle.end, number + 1),
            "allowed_bug_types": ["functional", "visual", "content"][: 1 + number % 3],
            "reviews": [],
            "review_status": None,
            "demo": False,
            "attachments": [make_attachment("test", number)] if number % 4 == 0 else [],
        }
        if status == "archived" and cycle.end:
            reviewed = stamp(cycle.end + timedelta(days=2), number)
            test["reviews"] = [{"status": "positive", "comment": None, "reviewed_at": reviewed}]
            test["review_status"] = "reviewed"
        traps.bend_test(number, test, self._plan.feature_id(cycle.product, 99))
        return test

    def _test_feature(self, test: int, cycle: Cycle, place: int, topic: Topic) -> Record:
        id_ = self._plan.test_feature_id(test, place)
        feature = {
            "id": id_,
            "feature_id": self._plan.feature_id(cycle.product, cycle.picks[place]),
            **_describe(topic),
            "location": f"https://shop.example.com/{topic.title.lower().replace(' ', '-')}",
            "target_idx": None,
            "enable_default": True,
            "enable_content": test % 3 != 0,
            "enable_visual": True,
            "custom_report_configurations": [],
        }
        return self._shaped(feature, cycle.product, traps.story_shape(test, place), id_)

    def execution(self, run: Run, test: Record) -> Record:
        """Return the record of a run."""
        cycle, rng = self._plan.cycle(run.test), self._plan.random("run", run.test, run.place)
        weakness = self._plan.weakness(cycle, cycle.picks[run.place // 100])
        result = rng.choice(_RESULTS if weakness == 1 else _RESULTS_IF_WEAK)
        executed = self._plan.moment(cycle, rng)
        if executed > self._plan.now:
            result = "pending"
        is_done = result not in ("cancelled", "pending")
        environment = part(test, "test_environment")
        execution = {
            "id": self._plan.id("executions", 1000 * run.test + run.place),
            "status": result,
            "comment": rng.choice(OBSERVATIONS) if is_done else None,
            "executed_by": rng.choice(self.testers) if is_done else None,
            "device_reports": [make_device(rng, test)] if is_done else [],
            "test_cycle": {
                "id": test["id"],
                "title": title_of(test),
                "test_environment": {name: environment.get(name) for name in ("id", "title")},
            },
            "executed_at": stamp(executed, run.place) if executed <= self._plan.now else None,
        }
        if run.test % 2:  # older tests do not name the user story
            execution["user_story_id"] = run.story_id
            execution["user_story_version_id"] = run.version_id
        return execution


def title_of(test: Record) -> str:
    """Return a test's title, from whichever field has it."""
    title: str = test.get("title") or test["test_title"]
    return title


def _describe(topic: Topic) -> Record:
    return {
        "title": topic.title,
        "description": f"Everything that belongs to “{topic.title.lower()}”.",
        "howtofind": f"Main menu > {topic.title}",
        "user_stories": topic.paths,
    }


def make_device(rng: Random, test: Record) -> Record:
    """Return a device as in a bug or an execution of a test."""
    place = rng.choice(
        DEVICES_OF.get(str(part(test, "product").get("type")), DEVICES_OF["website"])
    )
    category, vendor, device, system, version, browsers = DEVICES[place]
    return {
        "id": 40 + place,
        "category": {"name": category},
        "vendor": {"name": vendor},
        "operating_system": {"name": system},
        "operating_system_version": {"name": version},
        "device": {"name": device},
        "browsers": [{"name": rng.choice(browsers)}],
    }


def _requirement(rng: Random) -> Record:
    category, _, _, system, version, browsers = rng.choice(DEVICES)
    return {
        "id": rng.randrange(1, 9999),
        "category": {"id": 1, "key": category.lower(), "name": category},
        "operating_system": {"id": 2, "key": system.lower(), "name": system},
        "min_operating_system_version": {"id": 3, "name": version},
        "max_operating_system_version": None,
        "browsers": [{"id": 4, "name": name, "key": name.lower()} for name in browsers],
        "devices": [],
        "vendor": None,
        "browser_based": True,
        "gaming": False,
    }


def make_attachment(of: str, number: int) -> Record:
    """Return an attachment with signed URLs."""
    url = f"https://files.example.com/{of}/{number}/screenshot.png?signature={SIGNATURE}"
    return {"id": number, "url": url, "thumbnail_urls": {"50x50": f"{url}&size=50"}}
