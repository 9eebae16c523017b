"""User story executions: pages, filters, and the versions that tests name."""

from collections import Counter

from sandbox_reads import EXECUTIONS, all_executions, all_tests, read, versions

from testio_sandbox import Account


def test_executions_are_paged_and_sorted(account: Account) -> None:
    path = f"/{EXECUTIONS}"
    executions = all_executions(account)
    count = len(executions)
    by_10 = [
        read(account, path, page=n, per_page=10)[EXECUTIONS] for n in range(1, count // 10 + 2)
    ]
    assert executions == [execution for page in by_10 for execution in page]
    assert len({execution["id"] for execution in executions}) == count > 30
    assert read(account, path, page=count)[EXECUTIONS] == []
    newest = read(account, path, order="desc")[EXECUTIONS][0]["test_cycle"]
    assert newest == executions[-1]["test_cycle"] != executions[0]["test_cycle"]


def test_executions_are_found_by_the_versions_that_tests_name() -> None:
    account = Account(products=3, tests=40, bugs=60)
    named = versions(account)
    assert len({version for *_, version in named}) == len(named)
    executions = all_executions(account)
    by_story: Counter[int] = Counter()
    found = []
    for test, story, version in named:
        of_version = all_executions(account, user_story_version_ids=[version])
        assert {execution["test_cycle"]["id"] for execution in of_version} <= {test}
        assert {execution.get("user_story_id", story) for execution in of_version} <= {story}
        by_story[story] += len(of_version)
        found += of_version
    assert sorted(found, key=lambda e: e["id"]) == sorted(executions, key=lambda e: e["id"])
    for story, count in by_story.items():
        assert len(all_executions(account, user_story_ids=[story])) == count
    some = [version for *_, version in named[:200]]
    both = all_executions(account, user_story_version_ids=some, user_story_ids=[named[0][1]])
    assert 0 < len(both) < len(all_executions(account, user_story_version_ids=some))
    assert all_executions(account, user_story_version_ids=[1, 999]) == []
    assert all_executions(account, user_story_ids=[1, 999]) == []


def test_executions_are_not_filtered_by_what_the_api_does_not_know(account: Account) -> None:
    test = all_tests(account)[5]
    everything = all_executions(account)
    for name in ("filter_test_cycle_ids", "filter_product_ids", "user_story_ids"):
        assert read(account, f"/{EXECUTIONS}", per_page=100, **{name: test["id"]}) == {
            "meta": {"record_count": len(everything)},
            EXECUTIONS: everything[:100],
        }


def test_executions_of_a_removed_test_are_gone(account: Account) -> None:
    _, story, version = versions(account)[-1]
    test = all_executions(account, user_story_version_ids=[version])[0]["test_cycle"]["id"]
    account.remove("tests", test)
    assert all_executions(account, user_story_version_ids=[version]) == []
    for executions in (all_executions(account), all_executions(account, user_story_ids=[story])):
        assert test not in {execution["test_cycle"]["id"] for execution in executions}
