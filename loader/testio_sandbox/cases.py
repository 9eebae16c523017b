"""Test case tests: the cases of tests without a testing type, and their results."""

from testio_sandbox.record import Record, parts, usable_id

_RESULTS = ("passed", "passed", "failed", "blocked", "pending")


def test_case_test(test: Record) -> Record:
    """Return a test as a list of cases to run, one per feature."""
    same = ("goal", "out_of_scope", "instructions", "start_at", "end_at", "report_language")
    return {
        "id": test["id"],
        "test_title": test.get("title") or test.get("test_title"),
        **{name: test.get(name) for name in same},
        "test_case_requirements": [
            {"id": number, "test_case_environment_id": number, "requirement": requirement}
            for number, requirement in enumerate(test.get("requirements") or [], start=1)
        ],
        "test_cases": _cases(test),
        "test_environment": test.get("test_environment"),
    }


def results(test: Record) -> list[Record]:
    """Return the results of a test case test, two per case."""
    if test.get("start_at") is None:
        return []
    return [
        {
            "id": 10 * case["id"] + run,
            "test_case_id": case["id"],
            "status": _RESULTS[(case["id"] + run) % len(_RESULTS)],
            "comment": None,
            "executed_by": None if run else "m.okafor",
            "executed_at": test.get("end_at"),
        }
        for case in _cases(test)
        for run in range(2)
    ]


def _cases(test: Record) -> list[Record]:
    first_id = 10 * (usable_id(test) or 0)
    features = parts(test, "features")
    return [_case(feature, first_id + place) for place, feature in enumerate(features)]


def _case(feature: Record, case_id: int) -> Record:
    steps = (f"Open “{feature.get('title')}”", "Do what the user stories say")
    return {
        "id": case_id,
        "title": f"{feature.get('title')} works",
        "feature_id": feature.get("feature_id"),
        "target_idx": "",
        "steps": [
            {
                "id": 10 * case_id + at,
                "description": step,
                "test_case_id": case_id,
                "target_idx": "",
            }
            for at, step in enumerate(steps)
        ],
    }
