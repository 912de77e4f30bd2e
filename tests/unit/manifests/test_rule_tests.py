"""Files of `alerts test`: the examples hold, and a mistake is told with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.alerting.rule_tests import RuleTestResult, run_test
from reconciler.errors import InvalidInput
from reconciler.manifests.rule_tests import read_rule_tests
from tests.unit.alerting.rules import rule
from tests.unit.manifests.trees import example, load

CASES = sorted((Path(__file__).parents[2] / "cases/alerts").glob("*.yaml"))
RULES = [rule(for_seconds=120)]


def results_of(text: str) -> list[RuleTestResult]:
    return [run_test(test, RULES) for test in read_rule_tests("alerts.yaml", text.encode(), RULES)]


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_the_alerts_of_the_example_fleet_fire_when_they_should(file: Path) -> None:
    rules = list(load(example()).alerts.values())
    results = [run_test(test, rules) for test in read_rule_tests(str(file), file.read_bytes(), rules)]
    assert [text for result in results for text in result.wrong] == []


def test_each_alert_of_a_host_in_the_example_fleet_is_provoked_by_some_test() -> None:
    rules = list(load(example()).alerts.values())
    results = [run_test(test, rules) for file in CASES for test in read_rule_tests("", file.read_bytes(), rules)]
    fired = {it.alert.partition(":")[0] for result in results for it in result.happened if it.after.told}
    assert fired == {rule.name for rule in rules if rule.scope.value == "host"}


def test_what_should_fire_and_does_not_is_told_and_so_is_the_contrary() -> None:
    (result,) = results_of(
        "tests: [{name: a, series: {cpu.percent: 95x10}, expect: [{at: 1m, firing: [CpuBusy]}, {at: 5m, firing: []}]}]"
    )
    assert result.wrong == (
        "at 60s CpuBusy should fire, and does not",
        "at 300s CpuBusy should not fire, and does",
    )
    assert [(it.at_seconds, it.after.value) for it in result.happened] == [(0.0, "pending"), (120.0, "firing")]


@pytest.mark.parametrize(
    ("series", "values"),
    [
        ("5", [5.0]),
        ("1 2x3", [1.0, 2.0, 2.0, 2.0]),
        ("10-2.5x3", [10.0, 7.5, 5.0]),
        ("-1+1x3", [-1.0, 0.0, 1.0]),
        ("1e3+1e1x2", [1000.0, 1010.0]),
    ],
)
def test_series_are_written_in_short(series: str, values: list[float]) -> None:
    (test,) = read_rule_tests(
        "x",
        f"tests: [{{name: a, series: {{cpu.percent: {series}}}, expect: [{{at: 0s, firing: []}}]}}]".encode(),
        RULES,
    )
    assert next(iter(test.series.values())) == values


WRONG = [
    ("nonsense", "alerts.yaml: holds no tests. It begins with tests:"),
    ("tests: []", "alerts.yaml:1:8: tests is empty"),
    ("tests:\n- name: a\n  sereis: {}\n  expect: [{at: 1m, firing: []}]", 'alerts.yaml:3:3: unknown field "sereis"'),
    (
        "tests:\n- name: a\n  series: {cpu.percent: 5 times}\n  expect: [{at: 1m, firing: []}]",
        'alerts.yaml:3:25: "times" is no part of a series. Write it like 50x10',
    ),
    (
        "tests:\n- name: a\n  series: {}\n  expect: [{at: 1m, firing: [CpuBuzy]}]",
        'alerts.yaml:4:30: there is no alert "CpuBuzy". Did you mean CpuBusy?',
    ),
    ("tests:\n- name: a\n  series: {}\n  expect: [{at: soon, firing: []}]", "alerts.yaml:4:17: "),
    ("tests: [", "alerts.yaml:1:9: not valid YAML"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_a_mistake_is_told_with_its_place(text: str, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        results_of(text)
    assert any(str(problem).startswith(message) for problem in caught.value.problems), str(caught.value)
