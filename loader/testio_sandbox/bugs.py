"""Creates the bugs of the synthetic account on demand, as the API returns them."""

from bisect import bisect_right
from datetime import datetime, timedelta
from random import Random

import orjson

from testio_sandbox import traps
from testio_sandbox.content import CIRCUMSTANCES, CUSTOMER_USERS, OBSERVATIONS, REJECT_REASONS
from testio_sandbox.plan import Cycle, Plan
from testio_sandbox.record import Record
from testio_sandbox.records import Records, make_attachment, make_device, title_of
from testio_sandbox.traps import stamp

_SEVERITIES = ("low", "high", "critical", "visual", "content", "custom")
_SEVERITY_PERCENT_UP_TO = (35, 57, 65, 83, 95)


class Bugs:
    """Creates bugs from their numbers."""

    def __init__(self, plan: Plan, records: Records, bug_bytes: int) -> None:
        self._plan = plan
        self._records = records
        self._bug_bytes = bug_bytes

    def make(self, number: int) -> Record:
        """Return the bug with this number."""
        test_number = self._plan.parent("bugs", number)
        cycle, test = self._plan.cycle(test_number), self._records.test(test_number)
        rng = self._plan.random("bug", number)
        catalogue = self._plan.catalogues[cycle.product]
        fragilities = [catalogue[place][1] for place in cycle.picks]
        (place,) = rng.choices(range(len(cycle.picks)), fragilities)
        topic, test_feature = catalogue[cycle.picks[place]][0], test["features"][place]
        tester = int(len(self._records.testers) * rng.random() ** 2)
        reported = self._plan.moment(cycle, rng)
        status, is_auto, triaged = self._verdict(number, cycle, tester, reported, rng)
        is_exported = status == "accepted" and rng.random() < 0.4
        problem = rng.choice(topic.problems) + rng.choice(CIRCUMSTANCES)
        severity = _SEVERITIES[
            number if number < 6 else bisect_right(_SEVERITY_PERCENT_UP_TO, rng.randrange(100))
        ]
        bug = {
            "id": self._plan.id("bugs", number),
            "title": f"[{topic.title}] {problem}",
            "severity": severity,
            "status": status,
            "auto_accepted": is_auto,
            "known": status == "accepted" and rng.random() < 0.08,
            "language": test["report_language"],
            "location": test_feature["location"],
            "expected_result": f"I can {topic.stories[0]}.",
            "actual_result": f"{problem}.",
            "steps": [
                "Open the start page",
                f"Go to “{topic.title}”",
                f"Try to {rng.choice(topic.stories)}",
                "Look at what happens",
            ],
            "author": {"name": self._records.testers[tester]},
            "test": {"id": test["id"], "title": title_of(test)},
            "test_case": None,
            "product": test["product"],
            "section": test["section"],
            "feature": {
                "id": test_feature.get("feature_id"),
                "title": topic.title,
                "description": test_feature["description"],
                "location": test_feature["location"],
            },
            "test_feature": {
                name: test_feature[name]
                for name in ("id", "feature_id", "title", "howtofind")
                if name in test_feature
            },
            "test_environment": test["test_environment"],
            "devices": [make_device(rng, test) for _ in range(1 + (number % 5 == 0))],
            "comments": self._comments(number, status, triaged, rng),
            "attachments": [
                make_attachment("bug", 3 * number + place) for place in range(rng.randrange(3))
            ],
            "reproductions": [],
            "reported_at": stamp(reported, number),
            "exported_at": stamp(triaged, number + 1) if is_exported else None,
            "external_idx": f"SHOP-{number}" if is_exported else None,
            "report": traps.custom_report(number) if severity == "custom" else None,
        }
        traps.bend_bug(number, bug)
        self._pad(bug)
        return bug

    def _verdict(
        self, bug: int, cycle: Cycle, tester: int, reported: datetime, rng: Random
    ) -> tuple[str, bool, datetime]:
        """Return a bug's status, whether it was set automatically, and when."""
        character = self._plan.character(cycle.product)
        triaged = reported + timedelta(days=rng.expovariate(1 / character.days_to_triage))
        is_rejected = rng.random() < character.rejected * (0.6 + tester % 5 * 0.2)
        is_auto = not is_rejected and rng.random() < character.auto_accepted
        if is_auto:
            triaged = reported + timedelta(days=10)
        status = "rejected" if is_rejected else "accepted"
        if triaged > self._plan.now:
            status, is_auto, triaged = "forwarded", False, self._plan.now
        return *traps.VERDICTS.get(bug, (status, is_auto)), triaged

    def _comments(self, bug: int, status: str, at: datetime, rng: Random) -> list[Record]:
        said = (
            [(rng.choice(self._records.testers), "I can see this too. 👍")]
            if rng.random() < 0.3
            else []
        )
        by_customer = None
        if status == "rejected":
            reason = rng.choice(REJECT_REASONS)[2]
            by_customer = traps.rejection(bug, reason, rng.random())
        elif status == "accepted":
            by_customer = traps.second_thoughts(bug)
        if by_customer:
            said.append((rng.choice(CUSTOMER_USERS), by_customer))
        return [
            {
                "id": 10 * self._plan.id("bugs", bug) + place,
                "body": body,
                "author": {"name": name},
                "created_at": stamp(at, bug + place),
            }
            for place, (name, body) in enumerate(said)
        ]

    def _pad(self, bug: Record) -> None:
        """Lengthen the bug to the size of real ones, which have longer texts."""
        missing = self._bug_bytes - len(orjson.dumps(bug))
        sentences, first = [bug["actual_result"]], missing
        while missing > 0:
            sentences.append(OBSERVATIONS[(first + len(sentences)) % len(OBSERVATIONS)])
            missing -= len(sentences[-1]) + 1
        bug["actual_result"] = " ".join(sentences)
