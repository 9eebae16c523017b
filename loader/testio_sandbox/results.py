"""The results that the single-test endpoint adds: analytics, and results per feature."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from testio_sandbox.plan import Run
from testio_sandbox.record import Record, part, parts, usable_id

Execution = tuple[Run, Record]
_RESULTS = frozenset({"passed", "failed", "blocked"})
"""Executions with other statuses have no result yet, or never get one."""


def with_results(test: Record, bugs: list[Record], executions: list[Execution]) -> Record:
    """Return a test with its results; its user stories must be objects.

    A bug belongs to the feature that it names, and possibly to one user story of that feature.
    """
    features: list[Record] = []
    stories: list[Record] = []
    bug_ids_by_feature: dict[int | None, list[int]] = defaultdict(list)
    for bug in bugs:
        bug_ids_by_feature[usable_id(part(bug, "test_feature"))].append(int(bug["id"]))
    runs_by_version: dict[int | None, list[Execution]] = defaultdict(list)
    for run, execution in executions:
        runs_by_version[run.version_id].append((run, execution))
    for feature in parts(test, "features"):
        given = parts(feature, "user_stories")
        versions = [runs_by_version[usable_id(s, "user_story_version_id")] for s in given]
        runs = [run for version in versions for run in version]
        feature_id = usable_id(feature)
        bug_ids = [] if feature_id is None else bug_ids_by_feature[feature_id]
        features.append(feature | _results(runs, bug_ids, "tester_count"))
        if given:
            own_stories = [
                story
                | _results(
                    versions[place],
                    [id_ for id_ in bug_ids if id_ % (len(given) + 1) == place],
                    "tested_by_count",
                )
                for place, story in enumerate(given)
            ]
            features[-1]["user_stories"] = own_stories
            stories += own_stories
    of_features = Counter(feature["execution_status"] for feature in features)
    of_stories = Counter(story["execution_status"] for story in stories)
    testers = _testers(executions) | {part(bug, "author").get("name") for bug in bugs}
    devices = [device for bug in bugs for device in parts(bug, "devices")]
    devices += [device for _, execution in executions for device in execution["device_reports"]]
    analytics = {
        "testers_count": len(testers - {None}),
        "devices_count": len({usable_id(device) for device in devices} - {None}),
        "total_features": len(features),
        "tested_features": len(features) - of_features["not_tested"],
        "passed_features": of_features["passed"],
        "failed_features": of_features["failed"],
        "total_user_stories": len(stories),
        "tested_user_stories": len(stories) - of_stories["not_tested"],
        "passed_user_stories": of_stories["passed"],
        "failed_user_stories": of_stories["failed"],
        "blocked_user_stories": of_stories["blocked"],
        "total_bugs": len(bugs),
    }
    return {**test, "features": features, "analytics": analytics}


def _results(runs: list[Execution], bug_ids: list[int], testers_name: str) -> Record:
    """Return the results: a linked bug counts as a failed execution; the worst status decides."""
    found = {execution["status"] for _, execution in runs} & _RESULTS
    if bug_ids:
        found.add("failed")
    worst_first = ("failed", "blocked", "passed")
    return {
        "execution_status": next((s for s in worst_first if s in found), "not_tested"),
        testers_name: len(_testers(runs)),
        "bugs_found": len(bug_ids),
        "bug_ids": bug_ids,
    }


def _testers(executions: Iterable[Execution]) -> set[str | None]:
    return {run["executed_by"] for _, run in executions if run["status"] in _RESULTS}
