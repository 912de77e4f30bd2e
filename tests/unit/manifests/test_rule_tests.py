"""Files of `alerts test`: the examples hold, and a mistake is told with its place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from reconciler.alerting.rule_tests import Difference, RuleTestResult, run_test
from reconciler.errors import InvalidInput
from reconciler.manifests.rule_tests import read_rule_tests
from reconciler.model.alerts import AlertId
from reconciler.model.monitoring import HOST_STALE, Alert, AlertScope
from tests.unit.alerting.rules import rule
from tests.unit.manifests.trees import example, load

CASES = sorted((Path(__file__).parents[2] / "cases/alerts").glob("*.yaml"))
RULES = [rule(for_seconds=120)]


def results_of(text: str, rules: Sequence[Alert] = RULES) -> list[RuleTestResult]:
    return [run_test(test, rules) for test in read_rule_tests("alerts.yaml", text.encode(), rules)]


def results_of_examples(*files: Path) -> list[RuleTestResult]:
    fleet = load(example())
    rules, own = list(fleet.alerts.values()), {it.name for app in fleet.apps.values() for it in app.metrics}
    tests = [test for file in files for test in read_rule_tests(str(file), file.read_bytes(), rules, own)]
    return [run_test(test, rules) for test in tests]


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_the_alerts_of_the_example_fleet_fire_when_they_should(file: Path) -> None:
    assert [found for result in results_of_examples(file) for found in result.wrong] == []


def test_each_alert_of_the_example_fleet_is_provoked_by_some_test() -> None:
    results = results_of_examples(*CASES)
    fired = {AlertId.parse(it.alert).rule for result in results for it in result.happened if it.after.told}
    assert fired == {HOST_STALE, *load(example()).alerts}


def test_what_should_fire_and_does_not_is_told_and_so_is_the_contrary() -> None:
    (result,) = results_of(
        "tests: [{name: a, series: {cpu.percent: 95x10}, expect: [{at: 1m, firing: [CpuBusy]}, {at: 5m, firing: []}]}]"
    )
    assert result.wrong == (
        Difference(60.0, "firing", expected=("CpuBusy",), seen=()),
        Difference(300.0, "firing", expected=(), seen=("CpuBusy",)),
    )
    assert [(it.at_seconds, it.after.value) for it in result.happened] == [(0.0, "pending"), (120.0, "firing")]


FLEET_RULES = [
    rule(expr="avg(cpu.percent, window=2m) > 90", inhibits=("Warm",)),
    rule("Warm", "cpu.percent > 50"),
    rule("AllHot", "min(cpu.percent) > 80 and count(cpu.percent) == 2", scope=AlertScope.FLEET, for_seconds=60),
    rule("Silence", "alerts('alert=HostStale') >= 1", scope=AlertScope.FLEET),
]
TWO = """\
tests:
- name: two hosts, of which one dies
  hosts:
  - {name: web-1, series: {cpu.percent: 95x20}}
  - {name: web-2, series: {cpu.percent: 60x5 95x5}}
  expect:
  - {at: 4m, firing: [CpuBusy@web-1, Warm@web-1, Warm@web-2], inhibited: [Warm@web-1]}
  - {at: 6m, firing: [AllHot, CpuBusy@web-1, CpuBusy@web-2, Warm@web-1, Warm@web-2]}
  - at: 14m
    firing: [HostStale@web-2, Silence, CpuBusy@web-1, CpuBusy@web-2, Warm@web-1, Warm@web-2]
    inhibited: [CpuBusy@web-2, Warm@web-1, Warm@web-2]
"""


def test_several_hosts_are_tried_together_with_rules_over_the_fleet_and_hosts_that_fall_silent() -> None:
    (result,) = results_of(TWO, FLEET_RULES)
    assert result.wrong == ()
    assert "AllHot resolved" in {f"{it.alert} {it.after.value}" for it in result.happened}


def test_rules_over_the_fleet_are_tried_on_one_host_too() -> None:
    rules = [rule("Hot", "max(filesystem.percent) > 90", scope=AlertScope.FLEET)]
    series = """{"filesystem.percent[/]": 95, "filesystem.percent[/var]": 10}"""
    (result,) = results_of(f"tests: [{{name: a, series: {series}, expect: [{{at: 0s, firing: [Hot]}}]}}]", rules)
    assert result.wrong == ()


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
    assert next(iter(test.hosts[0].series.values())) == values


TWO_HOSTS = "tests:\n- name: a\n  hosts: [{name: b, series: {}}, {name: c, series: {}}]\n"
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
    (
        "tests:\n- name: a\n  series: {cpu.percnt: 5}\n  expect: [{at: 1m, firing: []}]",
        'alerts.yaml:3:12: there is no metric "cpu.percnt". Did you mean cpu.percent?',
    ),
    (
        "tests:\n- name: a\n  series: {filesystem.percent: 5}\n  expect: [{at: 1m, firing: []}]",
        'alerts.yaml:3:12: there is no series filesystem.percent. Write "filesystem.percent[...]"',
    ),
    (
        "tests:\n- name: a\n  expect: [{at: 1m, firing: []}]",
        "alerts.yaml:2:3: a test has either series, of one host, or hosts, each with series of its own",
    ),
    (
        "tests:\n- name: a\n  host: {}\n  hosts: [{name: b, series: {}}]\n  expect: [{at: 1m, firing: [CpuBusy@c]}]",
        "alerts.yaml:2:3: each of the hosts has its own name, labels and facts. Move them below hosts",
    ),
    (
        "tests:\n- name: a\n  hosts: [{name: b, series: {}}]\n  expect: [{at: 1m, firing: [CpuBusy@c]}]",
        'alerts.yaml:4:30: the test has no host "c". Known: b',
    ),
    (
        f"{TWO_HOSTS.replace('name: c', 'name: b')}  expect: [{{at: 1m, firing: [CpuBusy]}}]",
        "alerts.yaml:3:10: two of the hosts are called b",
    ),
    (
        f"{TWO_HOSTS}  expect: [{{at: 1m, firing: [CpuBusy]}}]",
        "alerts.yaml:4:30: CpuBusy is about one of several hosts. Write it like CpuBusy@b",
    ),
    ("tests:\n- name: a\n  series: {}\n  expect: [{at: soon, firing: []}]", "alerts.yaml:4:17: "),
    ("tests: [", "alerts.yaml:1:9: not valid YAML"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_a_mistake_is_told_with_its_place(text: str, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        results_of(text)
    assert any(str(problem).startswith(message) for problem in caught.value.problems), str(caught.value)


def test_what_would_take_for_ever_to_try_is_a_mistake() -> None:
    text = "interval: 1ms\ntests: [{name: a, series: {cpu.percent: 1}, expect: [{at: 100d, firing: []}]}]"
    with pytest.raises(InvalidInput, match="more than 100,000 intervals"):
        results_of(text)
