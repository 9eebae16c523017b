"""Creates the bugs of the synthetic account on demand, as the API returns them."""

from bisect import bisect_right
from datetime import datetime, timedelta
from math import exp, log
from typing import NamedTuple

import orjson

from testio_sandbox import traps
from testio_sandbox.content import (
    CIRCUMSTANCES,
    CUSTOMER_USERS,
    OBSERVATIONS,
    REJECT_REASONS,
    Character,
)
from testio_sandbox.plan import Cycle, Plan
from testio_sandbox.record import Record
from testio_sandbox.records import Records, make_attachment, make_device, title_of
from testio_sandbox.traps import stamp

AUTO_ACCEPTANCE = timedelta(days=10)
"""The system accepts a bug that nobody has reviewed for so long."""
_CHANGING = {"status", "auto_accepted", "known", "comments", "exported_at", "external_idx"}
"""Fields that change after a bug was reported."""
_TURNED = {"accepted": 0.04, "rejected": 0.12}
"""Share of reviews that said the opposite at first, by their verdict in the end."""
_SEVERITIES = ("low", "high", "critical", "visual", "content", "custom")
_SEVERITY_PERCENT_UP_TO = (35, 57, 65, 83, 95)


class _Verdict(NamedTuple):
    """A status that a bug gets after it was reported."""

    at: datetime
    status: str
    is_auto: bool = False


def _share_of_time(chance: float, character: Character) -> float:
    """Return the share of the ten days after which a bug is reviewed.

    It is distributed exponentially, as far as ten days allow.
    """
    days = AUTO_ACCEPTANCE / timedelta(days=1) / character.days_to_triage
    return -log(1 - chance * (1 - exp(-days))) / days


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
        weights = [catalogue[p][1] * self._plan.weakness(cycle, p) for p in cycle.picks]
        (place,) = rng.choices(range(len(cycle.picks)), weights)
        topic, test_feature = catalogue[cycle.picks[place]][0], test["features"][place]
        tester = int(len(self._records.testers) * rng.random() ** 2)
        reported = self._plan.reported(number)
        verdicts = self._verdicts(number, cycle, tester, reported)
        status, is_auto = next(
            ((v.status, v.is_auto) for v in reversed(verdicts) if v.at <= self._plan.now),
            ("forwarded", False),
        )
        exported = self._exported(number, verdicts)
        is_known = rng.random() < 0.08
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
            "known": status == "accepted" and is_known,
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
            "comments": self._comments(number, reported, verdicts),
            "attachments": [
                make_attachment("bug", 3 * number + place) for place in range(rng.randrange(3))
            ],
            "reproductions": [],
            "reported_at": stamp(reported, number),
            "exported_at": stamp(exported, number + 1),
            "external_idx": f"SHOP-{number}" if exported else None,
            "report": traps.custom_report(number) if severity == "custom" else None,
        }
        traps.bend_bug(number, bug)
        self._pad(bug)
        return bug

    def _verdicts(self, bug: int, cycle: Cycle, tester: int, reported: datetime) -> list[_Verdict]:
        """Return all verdicts on a bug, the last one included even if it is in the future.

        Either the customer reviews a bug within ten days, or the system then accepts it. Some
        reviews are turned round.
        """
        if bug == self._plan.counts["bugs"] - 1 and self._plan.last - reported < AUTO_ACCEPTANCE:
            return []  # each account has an open bug
        character = self._plan.character(cycle.product)
        rng = self._plan.random("verdict", bug)
        reviewed = reported + AUTO_ACCEPTANCE * _share_of_time(rng.random(), character)
        is_rejected = rng.random() < character.rejected * (0.6 + tester % 5 * 0.2)
        is_auto = not is_rejected and rng.random() < character.auto_accepted
        turned = rng.random()
        status = "rejected" if is_rejected else "accepted"
        if bug in traps.VERDICTS:
            status, is_auto = traps.VERDICTS[bug]
            at = reported + AUTO_ACCEPTANCE if is_auto else reviewed
            return [_Verdict(min(at, self._plan.last), status, is_auto)]
        if is_auto:
            return [_Verdict(reported + AUTO_ACCEPTANCE, status, is_auto)]
        if turned >= _TURNED[status]:
            return [_Verdict(reviewed, status)]
        opposite = "accepted" if is_rejected else "rejected"
        again = reviewed + timedelta(days=rng.uniform(0.5, 5))
        verdicts = [_Verdict(reviewed, opposite), _Verdict(again, status)]
        reopened = again - timedelta(days=1)
        if (
            turned < _TURNED[status] / 3
            and reviewed < reopened
            and again < reported + AUTO_ACCEPTANCE
        ):
            verdicts.insert(1, _Verdict(reopened, "forwarded"))
        return verdicts

    def _exported(self, bug: int, verdicts: list[_Verdict]) -> datetime | None:
        """Return when a bug was exported to the customer's tracker; only accepted ones are."""
        rng = self._plan.random("export", bug)
        if not verdicts or verdicts[-1].status != "accepted" or rng.random() >= 0.4:
            return None
        exported = verdicts[-1].at + timedelta(days=rng.expovariate(0.5))
        return exported if exported <= self._plan.now else None

    def _comments(self, bug: int, reported: datetime, verdicts: list[_Verdict]) -> list[Record]:
        rng = self._plan.random("comments", bug)
        said: list[tuple[datetime, str, str]] = []
        if rng.random() < 0.3:
            seen = reported + timedelta(days=rng.uniform(0, 2))
            said.append((seen, rng.choice(self._records.testers), "I can see this too. 👍"))
        for verdict in verdicts:
            by_customer = None
            if verdict.status == "rejected":
                reason = rng.choice(REJECT_REASONS)[2]
                by_customer = traps.rejection(bug, reason, rng.random())
            elif verdict.status == "accepted":
                by_customer = traps.second_thoughts(bug)
            if by_customer:
                said.append((verdict.at, rng.choice(CUSTOMER_USERS), by_customer))
        return [
            {
                "id": 10 * self._plan.id("bugs", bug) + place,
                "body": body,
                "author": {"name": name},
                "created_at": stamp(at, bug + place),
            }
            for place, (at, name, body) in enumerate(sorted(said))
            if at <= self._plan.now
        ]

    def _pad(self, bug: Record) -> None:
        """Lengthen the bug to the size of real ones, which have longer texts."""
        kept = {name: value for name, value in bug.items() if name not in _CHANGING}
        missing = self._bug_bytes - len(orjson.dumps(kept))
        sentences, first = [bug["actual_result"]], missing
        while missing > 0:
            sentences.append(OBSERVATIONS[(first + len(sentences)) % len(OBSERVATIONS)])
            missing -= len(sentences[-1]) + 1
        bug["actual_result"] = " ".join(sentences)
